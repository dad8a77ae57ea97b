import Testing

/// Layers that cannot be made out, and the words that say so.
@Suite("Broken layers")
struct BrokenLayersTests {
  @Test("a pattern of variants that are not there")
  func aPatternOfVariantsThatAreNotThere() throws {
    #expect(
      try message(
        """
        name: m
        vocab_size: 100
        context_length: 64
        hidden_size: 32
        layers: {count: 4, pattern: [3*locl, global, 0*local], variants: {local: {}, global: {}}}
        position: learned
        norm: {type: layernorm, eps: 1.0e-5}

        """)
          == """
          spec.yaml:5:30: error: no variant is named 'locl'
            5 | layers: {count: 4, pattern: [3*locl, global, 0*local], variants: {local: {}, global: {}}}
              |                              ^~~~~~ did you mean 'local'?
          spec.yaml:5:46: error: '0*local' is not an item of a pattern
            5 | layers: {count: 4, pattern: [3*locl, global, 0*local], variants: {local: {}, global: {}}}
              |                                              ^~~~~~~ an item is a name, or a count and a name: 3*local

          """)
  }

  @Test("a variant that no pattern uses")
  func aVariantThatNoPatternUses() throws {
    #expect(
      try message(
        """
        name: m
        vocab_size: 100
        context_length: 64
        hidden_size: 32
        layers: {count: 4, pattern: [local], variants: {local: {}, global: {}}}
        position: learned
        norm: {type: layernorm, eps: 1.0e-5}

        """)
          == """
          spec.yaml:5:60: error: the pattern does not use the variant 'global'
            5 | layers: {count: 4, pattern: [local], variants: {local: {}, global: {}}}
              |                                                            ^~~~~~

          """)
  }

  @Test("variants without a pattern")
  func variantsWithoutAPattern() throws {
    #expect(
      try message(
        """
        name: m
        vocab_size: 100
        context_length: 64
        hidden_size: 32
        layers: {count: 4, variants: {local: {}, global: {}}}
        position: learned
        norm: {type: layernorm, eps: 1.0e-5}

        """)
          == """
          spec.yaml:5:31: error: there are variants, but no pattern says which layer takes which
            5 | layers: {count: 4, variants: {local: {}, global: {}}}
              |                               ^~~~~ pattern: [local, global]

          """)
  }

  @Test("an empty pattern")
  func anEmptyPattern() throws {
    #expect(
      try message(
        """
        name: m
        vocab_size: 100
        context_length: 64
        hidden_size: 32
        layers: {count: 4, pattern: []}
        position: learned
        norm: {type: layernorm, eps: 1.0e-5}

        """)
          == """
          spec.yaml:5:29: error: the pattern is empty
            5 | layers: {count: 4, pattern: []}
              |                             ^ pattern: [3*local, global]

          """)
  }

  @Test("slices that match nothing or mean nothing")
  func slicesThatMatchNothingOrMeanNothing() throws {
    #expect(
      try message(
        """
        name: m
        vocab_size: 100
        context_length: 64
        hidden_size: 32
        layers: 
          count: 4
          overrides:
            - {layers: 9, norm: a}
            - {layers: "4:", norm: a}
            - {layers: x, norm: a}
            - {layers: "0:4:0", norm: a}
            - {norm: a}
            - {layers: 0}
            - {layers: [0, -5], norm: a}
            - 3
        position: learned
        norm: {type: layernorm, eps: 1.0e-5}

        """)
          == """
          spec.yaml:8:16: error: there is no layer 9
            8 |     - {layers: 9, norm: a}
              |                ^ the layers are 0 to 3
          spec.yaml:9:16: error: '4:' matches no layer
            9 |     - {layers: "4:", norm: a}
              |                ^~~~ the layers are 0 to 3
          spec.yaml:10:16: error: 'x' names no layers
            10 |     - {layers: x, norm: a}
               |                ^ write 0, -1, "6:", "0:24:2" or [0, 3]
          spec.yaml:11:16: error: the step of '0:4:0' is not positive
            11 |     - {layers: "0:4:0", norm: a}
               |                ^~~~~~~
          spec.yaml:12:7: error: this override does not say for which layers
            12 |     - {norm: a}
               |       ^ layers: "0:2"
          spec.yaml:13:7: error: this override changes nothing
            13 |     - {layers: 0}
               |       ^
          spec.yaml:14:20: error: there is no layer -5
            14 |     - {layers: [0, -5], norm: a}
               |                    ^~ the layers are 0 to 3
          spec.yaml:15:7: error: an override takes a group of keys, not '3'
            15 |     - 3
               |       ^

          """)
  }

  @Test("a slice without quotes")
  func aSliceWithoutQuotes() throws {
    #expect(
      try message(
        """
        layers:
          count: 8
          overrides:
            - layers: 6:

        """)
          == """
          spec.yaml:4:16: error: a key and ':' cannot stand here, inside or under a value
            4 |     - layers: 6:
              |                ^ indent the line like its neighbours, or quote a text that holds ':'

          """)
  }

  @Test("what cannot differ from layer to layer")
  func whatCannotDifferFromLayerToLayer() throws {
    #expect(
      try message(
        """
        name: m
        vocab_size: 100
        context_length: 64
        hidden_size: 32
        layers: 
          count: 4
          pattern: [a]
          variants:
            a: {head: {tied: true}, hidden_size: 3, atention: {}, norm: null, position: 3}
          share: 1
        position: learned
        norm: {type: layernorm, eps: 1.0e-5}

        """)
          == """
          spec.yaml:9:9: error: 'head' cannot differ from layer to layer
            9 |     a: {head: {tied: true}, hidden_size: 3, atention: {}, norm: null, position: 3}
              |         ^~~~ only position, norm, block, attention, cross_attention and mlp can
          spec.yaml:9:29: error: 'hidden_size' cannot differ from layer to layer
            9 |     a: {head: {tied: true}, hidden_size: 3, atention: {}, norm: null, position: 3}
              |                             ^~~~~~~~~~~ only position, norm, block, attention, cross_attention and mlp can
          spec.yaml:9:45: error: 'atention' is not a key of the variant 'a'
            9 |     a: {head: {tied: true}, hidden_size: 3, atention: {}, norm: null, position: 3}
              |                                             ^~~~~~~~ did you mean 'attention'?
          spec.yaml:9:65: error: 'norm' cannot be deleted: every layer needs one
            9 |     a: {head: {tied: true}, hidden_size: 3, atention: {}, norm: null, position: 3}
              |                                                                 ^~~~
          spec.yaml:9:81: error: 'position' takes a component's name or a group with its options, not '3'
            9 |     a: {head: {tied: true}, hidden_size: 3, atention: {}, norm: null, position: 3}
              |                                                                                 ^
          spec.yaml:10:3: error: 'share' is not a key of 'layers'
            10 |   share: 1
               |   ^~~~~ the keys are count, pattern, variants, overrides

          """)
  }
}
