import Testing

/// Keys and values that no architecture has, and the words that say so.
@Suite("Broken specifications")
struct BrokenSpecificationTests {
  @Test("an unknown key, with the nearest right one")
  func anUnknownKeyWithTheNearestRightOne() throws {
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
        norms: x
        vocab: 3
        license: mit
        patern: [a]
        qqqq: 1

        """)
          == """
          spec.yaml:8:1: error: 'norms' is not a key of a specification
            8 | norms: x
              | ^~~~~ did you mean 'norm'?
          spec.yaml:9:1: error: 'vocab' is not a key of a specification
            9 | vocab: 3
              | ^~~~~ did you mean 'vocab_size'?
          spec.yaml:10:1: error: 'license' is not a key of a specification
            10 | license: mit
               | ^~~~~~~ did you mean 'facts.licence'?
          spec.yaml:11:1: error: 'patern' is not a key of a specification
            11 | patern: [a]
               | ^~~~~~ did you mean 'layers.pattern'?
          spec.yaml:12:1: error: 'qqqq' is not a key of a specification
            12 | qqqq: 1
               | ^~~~ the keys are extends, name, facts, vocab_size, context_length, hidden_size, embedding, position, norm, block, attention, cross_attention, mlp, head, layers, stacks, tokenizer, texts, chat, images, init, expected_params, checkpoint, config, gguf

          """)
  }

  @Test("values of the wrong type, all at once")
  func valuesOfTheWrongTypeAllAtOnce() throws {
    #expect(
      try message(
        """
        name: [m]
        vocab_size: many
        context_length: 1.5
        hidden_size: "32"
        layers: 12
        position: [learned]
        norm: {type: 3}
        head: true
        tokenizer: [a]
        config: x
        facts: {year: soon, title: [a], license: mit}
        expected_params: 0

        """)
          == """
          spec.yaml:1:7: error: 'name' takes a text, not a list
            1 | name: [m]
              |       ^
          spec.yaml:2:13: error: 'vocab_size' takes an integer, not 'many'
            2 | vocab_size: many
              |             ^~~~
          spec.yaml:3:17: error: 'context_length' takes an integer, not 1.5
            3 | context_length: 1.5
              |                 ^~~
          spec.yaml:4:14: error: 'hidden_size' takes an integer, not '32'
            4 | hidden_size: "32"
              |              ^~~~ without quotes it is a number
          spec.yaml:5:9: error: 'layers' takes a group of keys, not '12'
            5 | layers: 12
              |         ^~ write {count: 12}
          spec.yaml:6:11: error: 'position' takes a component's name or a group with its options, not a list
            6 | position: [learned]
              |           ^
          spec.yaml:7:14: error: 'type' takes a component's name, not '3'
            7 | norm: {type: 3}
              |              ^
          spec.yaml:8:7: error: 'head' takes a component's name or a group with its options, not 'true'
            8 | head: true
              |       ^~~~
          spec.yaml:9:12: error: 'tokenizer' takes a name or a group of keys, not a list
            9 | tokenizer: [a]
              |            ^
          spec.yaml:10:9: error: 'config' takes a group of keys, not 'x'
            10 | config: x
               |         ^
          spec.yaml:11:15: error: 'year' takes an integer, not 'soon'
            11 | facts: {year: soon, title: [a], license: mit}
               |               ^~~~
          spec.yaml:11:28: error: 'title' takes a text, not a list
            11 | facts: {year: soon, title: [a], license: mit}
               |                            ^
          spec.yaml:11:33: error: 'license' is not a key of 'facts'
            11 | facts: {year: soon, title: [a], license: mit}
               |                                 ^~~~~~~ did you mean 'licence'?
          spec.yaml:12:18: error: 'expected_params' must be at least 1, not 0
            12 | expected_params: 0
               |                  ^

          """)
  }

  @Test("missing keys")
  func missingKeys() throws {
    #expect(
      try message(
        """
        name: m
        vocab_size: 3

        """)
          == """
          spec.yaml:1:1: error: these keys are missing: context_length, hidden_size, position, norm, layers
            1 | name: m
              | ^

          """)
  }

  @Test("one missing key")
  func oneMissingKey() throws {
    #expect(
      try message(
        """
        name: m
        context_length: 64
        hidden_size: 32
        layers: {count: 4}
        position: learned
        norm: {type: layernorm, eps: 1.0e-5}

        """)
          == """
          spec.yaml:1:1: error: the key 'vocab_size' is missing
            1 | name: m
              | ^ vocab_size: the number of token ids

          """)
  }

  @Test("a missing count")
  func aMissingCount() throws {
    #expect(
      try message(
        """
        name: m
        vocab_size: 100
        context_length: 64
        hidden_size: 32
        layers: {}
        position: learned
        norm: {type: layernorm, eps: 1.0e-5}

        """)
          == """
          spec.yaml:5:9: error: the key 'count' is missing in 'layers'
            5 | layers: {}
              |         ^ count: the number of layers

          """)
  }

  @Test("null where a value is required")
  func nullWhereAValueIsRequired() throws {
    #expect(
      try message(
        """
        name: m
        vocab_size:
        context_length: 64
        hidden_size: 32
        layers: {count: 4}
        position: null
        norm: {type: layernorm, eps: 1.0e-5}

        """)
          == """
          spec.yaml:2:12: error: 'vocab_size' cannot be null: every model needs it
            2 | vocab_size:
              |            ^
          spec.yaml:6:11: error: 'position' cannot be null: every model needs it
            6 | position: null
              |           ^~~~

          """)
  }

  @Test("sizes that no machine has, or that are none")
  func sizesThatNoMachineHasOrThatAreNone() throws {
    #expect(
      try message(
        """
        name: m
        vocab_size: 99999999999999999999
        context_length: 3e9
        hidden_size: -1
        layers: {count: 10001}
        position: learned
        norm: {type: layernorm, eps: 1.0e-5}

        """)
          == """
          spec.yaml:2:13: error: 'vocab_size' must be at most 2147483648, not 99999999999999999999
            2 | vocab_size: 99999999999999999999
              |             ^~~~~~~~~~~~~~~~~~~~
          spec.yaml:3:17: error: 'context_length' must be at most 2147483648, not 3e9
            3 | context_length: 3e9
              |                 ^~~
          spec.yaml:4:14: error: 'hidden_size' must be at least 1, not -1
            4 | hidden_size: -1
              |              ^~
          spec.yaml:5:17: error: 'count' must be at most 10000, not 10001
            5 | layers: {count: 10001}
              |                 ^~~~~

          """)
  }

  @Test("numbers that are not finite")
  func numbersThatAreNotFinite() throws {
    #expect(
      try message(
        """
        name: m
        vocab_size: .inf
        context_length: nan
        hidden_size: 1e999
        layers: {count: 4}
        position: learned
        norm: {type: layernorm, eps: 1.0e-5}

        """)
          == """
          spec.yaml:2:13: error: 'vocab_size' takes an integer, not '.inf'
            2 | vocab_size: .inf
              |             ^~~~
          spec.yaml:3:17: error: 'context_length' takes an integer, not 'nan'
            3 | context_length: nan
              |                 ^~~
          spec.yaml:4:14: error: 'hidden_size' takes an integer, not '1e999'
            4 | hidden_size: 1e999
              |              ^~~~~

          """)
  }

  @Test("a duplicate key, with both places")
  func aDuplicateKeyWithBothPlaces() throws {
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
        norm: rmsnorm
        attention: {num_heads: 2, num_heads: 4}

        """)
          == """
          spec.yaml:8:1: error: the key 'norm' is here a second time
            8 | norm: rmsnorm
              | ^~~~ it is first set at 7:1; leave one
          spec.yaml:9:27: error: the key 'num_heads' is here a second time
            9 | attention: {num_heads: 2, num_heads: 4}
              |                           ^~~~~~~~~ it is first set at 9:13; leave one

          """)
  }

  @Test("a null that has nothing to delete")
  func aNullThatHasNothingToDelete() throws {
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
        attention: {bias: null}
        checkpoint: null

        """)
          == """
          spec.yaml:8:13: error: there is no 'bias' here that null could delete
            8 | attention: {bias: null}
              |             ^~~~ leave the line out
          spec.yaml:9:1: error: there is no 'checkpoint' here that null could delete
            9 | checkpoint: null
              | ^~~~~~~~~~ leave the line out

          """)
  }

  @Test("an activation at the root")
  func anActivationAtTheRoot() throws {
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
        activation: gelu

        """)
          == """
          spec.yaml:8:1: error: 'activation' is an option of the component that uses it
            8 | activation: gelu
              | ^~~~~~~~~~ it is 'mlp.activation'

          """)
  }

  @Test("what belongs to a training run is not part of a model, and a part of the block stands in it")
  func whatBelongsElsewhere() throws {
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
        optimizer: adamw
        residual: plain

        """)
          == """
          spec.yaml:8:1: error: 'optimizer' is not part of a model
            8 | optimizer: adamw
              | ^~~~~~~~~ a training run is given it: 'chimera train --optimizer', or 'train' in a study
          spec.yaml:9:1: error: 'residual' is an option of the component that uses it
            9 | residual: plain
              | ^~~~~~~~ it is 'block.residual'

          """)
  }
}
