import Testing

/// Files that build on what is not there, and the words that say so.
@Suite("Broken inheritance")
struct BrokenInheritanceTests {
  @Test("a file that extends itself")
  func aFileThatExtendsItself() throws {
    #expect(
      try message(
        """
        name: m
        extends: ./spec.yaml

        """)
          == """
          spec.yaml:2:10: error: files extend each other in a circle: spec.yaml → spec.yaml
            2 | extends: ./spec.yaml
              |          ^~~~~~~~~~~

          """)
  }

  @Test("a model that is not in the zoo")
  func aModelThatIsNotInTheZoo() throws {
    #expect(
      try message(
        """
        extends: gpt-2

        """)
          == """
          spec.yaml:1:10: error: no model is named 'gpt-2'
            1 | extends: gpt-2
              |          ^~~~~ did you mean 'gpt2'?

          """)
  }

  @Test("a path out of the folder of a name")
  func aPathOutOfTheFolderOfAName() throws {
    #expect(
      try message(
        """
        extends: gpt2/../../passwd

        """)
          == """
          spec.yaml:1:10: error: 'gpt2/../../passwd' is neither a name nor a path
            1 | extends: gpt2/../../passwd
              |          ^~~~~~~~~~~~~~~~~ a path beside this file begins with './' or '../'

          """)
  }

  @Test("an absolute path")
  func anAbsolutePath() throws {
    #expect(
      try message(
        """
        extends: /etc/passwd

        """)
          == """
          spec.yaml:1:10: error: 'extends' takes a model's name or a path beside this file, not an absolute path
            1 | extends: /etc/passwd
              |          ^~~~~~~~~~~

          """)
  }

  @Test("a path to nothing")
  func aPathToNothing() throws {
    #expect(
      try message(
        """
        extends: ./base

        """)
          == """
          spec.yaml:1:10: error: there is no file './base' to extend
            1 | extends: ./base
              |          ^~~~~~ looked for base.yaml

          """)
  }

  @Test("something else than a name under extends")
  func somethingElseThanANameUnderExtends() throws {
    #expect(
      try message(
        """
        extends: [{a: 1}, null]

        """)
          == """
          spec.yaml:1:11: error: 'extends' takes a model's name or a path, not a group of keys
            1 | extends: [{a: 1}, null]
              |           ^
          spec.yaml:1:19: error: 'extends' takes a model's name or a path, not null
            1 | extends: [{a: 1}, null]
              |                   ^~~~

          """)
  }

  @Test("a map of names that is not there")
  func aMapOfNamesThatIsNotThere() throws {
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
        checkpoint: {naming: hf-lama}
        gguf: {naming: [a]}

        """)
          == """
          spec.yaml:8:22: error: no map of names is called 'hf-lama'
            8 | checkpoint: {naming: hf-lama}
              |                      ^~~~~~~ did you mean 'hf-llama'?
          spec.yaml:9:16: error: 'naming' takes the name of a map, not a list
            9 | gguf: {naming: [a]}
              |                ^

          """)
  }
}
