import Testing

/// What is not YAML, or more YAML than is read, and the words that say so.
@Suite("Broken text")
struct BrokenTextTests {
  @Test("a bomb of aliases")
  func aBombOfAliases() throws {
    #expect(
      try message(
        """
        a: &a [x, x, x, x, x, x, x, x, x, x]
        b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
        c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
        d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
        e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
        f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
        g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]
        h: &h [*g, *g, *g, *g, *g, *g, *g, *g, *g, *g]
        i: &i [*h, *h, *h, *h, *h, *h, *h, *h, *h, *h]

        """)
          == """
          spec.yaml:5:36: error: the text describes more than 100000 values, aliases counted with what they stand for
            5 | e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
              |                                    ^

          """)
  }

  @Test("lists nested 5,000 deep")
  func listsNested5000Deep() throws {
    #expect(
      try message("a: " + String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000) + "\n")
        == """
        spec.yaml:1:67: error: lists and groups stand more than 64 deep in each other
          1 | a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[…
            |                                                                   ^

        """)
  }

  @Test("an alias to itself")
  func anAliasToItself() throws {
    #expect(
      try message(
        """
        mlp: &m {type: *m}

        """)
          == """
          spec.yaml:1:16: error: '*m' stands inside '&m', and so would contain itself
            1 | mlp: &m {type: *m}
              |                ^~

          """)
  }

  @Test("an alias to nothing")
  func anAliasToNothing() throws {
    #expect(
      try message(
        """
        norm: &rms {type: rmsnorm}
        position: *rsm

        """)
          == """
          spec.yaml:2:11: error: there is no anchor '&rsm' before this alias
            2 | position: *rsm
              |           ^~~~ did you mean '*rms'?

          """)
  }

  @Test("a merge key")
  func aMergeKey() throws {
    #expect(
      try message(
        """
        a: &a {b: 1}
        mlp:
          <<: *a

        """)
          == """
          spec.yaml:3:3: error: merge keys ('<<') are not part of this language
            3 |   <<: *a
              |   ^~ 'extends: NAME' builds on another file

          """)
  }

  @Test("a tag that would make an object")
  func aTagThatWouldMakeAnObject() throws {
    #expect(
      try message(
        """
        tokenizer: !!python/object:os.system x
        chat: !!int many

        """)
          == """
          spec.yaml:1:12: error: the tag '!!python/object:os.system' means nothing here
            1 | tokenizer: !!python/object:os.system x
              |            ^ only !!str, !!int, !!float, !!bool, !!null, !!seq and !!map are known
          spec.yaml:2:7: error: 'many' is not what its tag '!!int' says
            2 | chat: !!int many
              |       ^~~~~~~~~~

          """)
  }

  @Test("a tab that indents")
  func aTabThatIndents() throws {
    #expect(
      try message("name: m\nlayers:\n\tcount: 4\n")
        == """
        spec.yaml:3:1: error: a tab indents this line
          3 |  count: 4
            | ^ YAML is indented by spaces

        """)
  }

  @Test("a tab that indents what a text goes on with")
  func aTabThatIndentsWhatATextGoesOnWith() throws {
    #expect(
      try message("name: m\n\tn\n")
        == """
        spec.yaml:2:1: error: a tab indents this line
          2 |  n
            | ^ YAML is indented by spaces

        """)
  }

  @Test("a key that is a list")
  func aKeyThatIsAList() throws {
    #expect(
      try message(
        """
        ? [a, b]
        : 1

        """)
          == """
          spec.yaml:1:3: error: a list stands where a key is expected
            1 | ? [a, b]
              |   ^ a key is a text

          """)
  }

  @Test("a key that is an alias")
  func aKeyThatIsAnAlias() throws {
    #expect(
      try message(
        """
        name: &n m
        *n : 1

        """)
          == """
          spec.yaml:2:1: error: the alias '*n' stands where a key is expected
            2 | *n : 1
              | ^~ a key is a text

          """)
  }

  @Test("a second document")
  func aSecondDocument() throws {
    #expect(
      try message(
        """
        name: m
        vocab_size: 100
        context_length: 64
        hidden_size: 32
        layers: {count: 4}
        position: learned
        norm: {type: layernorm, eps: 1.0e-5}
        ---
        name: n

        """)
          == """
          spec.yaml:8:1: error: a second document begins here, and a file describes one thing
            8 | ---
              | ^ put it into its own file

          """)
  }

  @Test("an empty file")
  func anEmptyFile() throws {
    #expect(
      try message("")
        == """
        spec.yaml:1:1: error: nothing is described here
          a group of keys is expected

        """)
  }

  @Test("a file of comments")
  func aFileOfComments() throws {
    #expect(
      try message(
        """
        # nothing yet

        """)
          == """
          spec.yaml:1:1: error: nothing is described here
            1 | # nothing yet
              | ^ a group of keys is expected

          """)
  }

  @Test("a text instead of a group")
  func aTextInsteadOfAGroup() throws {
    #expect(
      try message(
        """
        gpt2

        """)
          == """
          spec.yaml:1:1: error: a specification is a group of keys, not 'gpt2'
            1 | gpt2
              | ^~~~ key: value

          """)
  }

  @Test("a list instead of a group")
  func aListInsteadOfAGroup() throws {
    #expect(
      try message(
        """
        - gpt2

        """)
          == """
          spec.yaml:1:1: error: a specification is a group of keys, not a list
            1 | - gpt2
              | ^ key: value

          """)
  }

  @Test("a group that does not end")
  func aGroupThatDoesNotEnd() throws {
    #expect(
      try message(
        """
        name: m
        mlp: {gated: true
        head: {tied: true}

        """)
          == """
          spec.yaml:3:5: error: ',' or '}' is expected here, in the group that begins at 2:6
            3 | head: {tied: true}
              |     ^ is a '}' missing before this?

          """)
  }

  @Test("quotes that do not end")
  func quotesThatDoNotEnd() throws {
    #expect(
      try message(
        """
        name: "m
        head: x

        """)
          == """
          spec.yaml:1:7: error: the quoted text that begins here does not end
            1 | name: "m
              |       ^ close the quotes

          """)
  }

  @Test("two values on a line")
  func twoValuesOnALine() throws {
    #expect(
      try message(
        """
        name: m: n

        """)
          == """
          spec.yaml:1:8: error: a key and ':' cannot stand here, inside or under a value
            1 | name: m: n
              |        ^ indent the line like its neighbours, or quote a text that holds ':'

          """)
  }

  @Test("a line indented like no other")
  func aLineIndentedLikeNoOther() throws {
    #expect(
      try message(
        """
        mlp:
          gated: true
         bias: true

        """)
          == """
          spec.yaml:3:2: error: a key is expected here, in the group that begins at 1:1
            3 |  bias: true
              |  ^ indent the line like the keys beside it

          """)
  }

  @Test("a line without a colon")
  func aLineWithoutAColon() throws {
    #expect(
      try message(
        """
        name: m
        vocab_size 3
        layers: 3

        """)
          == """
          spec.yaml:2:1: error: the text that begins at 2:1 is no key: no ':' follows it on its line
            2 | vocab_size 3
              | ^

          """)
  }

  @Test("a text that begins like something else")
  func aTextThatBeginsLikeSomethingElse() throws {
    #expect(
      try message(
        """
        name: @m

        """)
          == """
          spec.yaml:1:7: error: a value cannot begin with '@'
            1 | name: @m
              |       ^ quote the text

          """)
  }

  @Test("a number of a layer in braces")
  func aNumberOfALayerInBraces() throws {
    #expect(
      try message(
        """
        checkpoint: {layer_prefix: h.{i}.}

        """)
          == """
          spec.yaml:1:30: error: ',' or '}' is expected here, in the group that begins at 1:13
            1 | checkpoint: {layer_prefix: h.{i}.}
              |                              ^ the number of a layer or an expert is written '*'

          """)
  }

  @Test("a number of a layer in a list")
  func aNumberOfALayerInAList() throws {
    #expect(
      try message(
        """
        checkpoint: {layer: [{i}]}

        """)
          == """
          spec.yaml:1:23: error: the key 'i' has no value
            1 | checkpoint: {layer: [{i}]}
              |                       ^ the number of a layer or an expert is written '*'

          """)
  }
}
