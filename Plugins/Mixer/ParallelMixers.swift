import Components

/// Two mixers side by side, which read the same input and whose results are added.
///
///     y = first_out·f(first_in·x) + second_out·g(second_in·x)
///
/// TII, 2025 (Falcon-H1: attention beside Mamba-2 in every layer), https://arxiv.org/abs/2507.22448; also Hymba,
/// https://arxiv.org/abs/2411.13676. Both see the layer's norm of the residual stream; each caches what it needs of a sequence.
///
/// Examples: `{first: {type: attention, num_heads: 2}, second: {type: mamba2, num_heads: 4, state_size: 5}}`
/// `{first: {type: short_conv}, second: {type: attention, num_heads: 4}, first_in: 0.5, second_out: 1.5}`
///
/// Known as: parallel_mixers, hybrid_heads, falcon_h1 `attention: {type: parallel, first: {type: attention, num_heads: 8}, second: {type: mamba2, num_heads: 16}}`
public struct ParallelMixers: Mixer {
  public static let name = "parallel"

  let first: (any Mixer)?
  let second: (any Mixer)?
  let inputs: (first: Double, second: Double)
  let outputs: (first: Double, second: Double)

  public init(_ options: Options) {
    first = options.component("first", default: "none", slot: .attention, "one mixer, with its options")
    second = options.component("second", default: "none", slot: .attention, "the other")
    inputs = (
      options.number("first_in", default: 1, in: -1e6...1e6, "what the input of the first is multiplied by"),
      options.number("second_in", default: 1, in: -1e6...1e6, "what the input of the second is multiplied by")
    )
    outputs = (
      options.number("first_out", default: 1, in: -1e6...1e6, "what the result of the first is multiplied by"),
      options.number("second_out", default: 1, in: -1e6...1e6, "what the result of the second is multiplied by")
    )
  }

  public func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let one = plan.within("first") { plan in
      let read = plan.scale(x, by: inputs.first)
      return first?.write(read, layer: layer, into: &plan) ?? read
    }
    let other = plan.within("second") { plan in
      let read = plan.scale(x, by: inputs.second)
      return second?.write(read, layer: layer, into: &plan) ?? read
    }
    return plan.add(one, other, alpha: outputs.first, beta: outputs.second)
  }
}
