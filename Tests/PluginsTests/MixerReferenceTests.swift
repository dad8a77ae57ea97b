import Components
import Conformance
import Execution
import Specification
import StandardComponents
import TestSupport
import Testing

/// Whole models around these mixers against other implementations: transformers 5.23 and torch 2.15 in f32, and a sum over
/// all earlier tokens written out in f64.
///
/// The weights are the numbers of `Noise(seed: 42)` times 0.3, tensor after tensor in the plan's order; norm weights and `d`
/// are 1 more. The tokens are (7i² + 3i) mod 13. Of 40 tokens the logits of the sixth and of the last are compared: in
/// Python, with `noise` the same generator and `r(n, m)` a matrix of such numbers,
///
///     c = Mamba2Config(vocab_size=13, hidden_size=16, num_hidden_layers=2, num_heads=4, head_dim=8, state_size=6, n_groups=2,
///                      chunk_size=16, expand=2); m = Mamba2ForCausalLM(c); b = m.backbone
///     b.embeddings.weight.copy_(r(13, 16))
///     for l in b.layers:
///       x = l.mixer; l.norm.weight.copy_(1 + .3 * noise(16))
///       x.in_proj.weight[:32] = r(32, 16); x.in_proj.weight[32:88] = r(56, 16); x.in_proj.weight[88:] = r(4, 16)
///       x.dt_bias.copy_(.3 * noise(4)); x.conv1d.weight.copy_(.3 * noise(56, 4)[:, None]); x.conv1d.bias.copy_(.3 * noise(56))
///       x.A_log.copy_(.3 * noise(4)); x.D.copy_(1 + .3 * noise(4)); x.norm.weight.copy_(1 + .3 * noise(32))
///       x.out_proj.weight.copy_(r(16, 32))
///     b.norm_f.weight.copy_(1 + .3 * noise(16)); m.lm_head.weight.copy_(r(13, 16)); m(tokens).logits[0, [5, 39]]
///
/// likewise Lfm2ForCausalLM of Lfm2Config(vocab_size=13, hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
/// num_key_value_heads=2, intermediate_size=24, block_auto_adjust_ff_dim=False, layer_types=["conv", "full_attention"]),
/// whose in_proj holds in_gate, out_gate and x; and for gated retention, with q and k turned by rope and q halved,
///
///     a = sigmoid(x @ Wd.T + bd) ** (1 / 2)
///     y[t] = sum((q[t] * k[s]).sum(-1)[:, None] * a[s + 1:t + 1].prod(0)[:, None] * v[s] for s in range(t + 1))
@Suite struct MixerReferenceTests {
  /// f32 sums of some dozens of numbers near 1 through two layers, and what is printed has six digits.
  private static let tolerance: Float = 2e-5

  private func check(_ tree: String, _ sixth: [Float], _ last: [Float]) throws {
    let model = try TinyModel(try YAMLReader(source: "reference").read(tree), of: Registry(standardComponents))
    var noise = Noise(seed: 42)
    for (index, tensor) in model.plan.parameters.enumerated() {
      guard let numbers = model.parameters.mutable(index) else { continue }
      let base: Float = tensor.name.text.contains("norm") || tensor.name.path.last == "d" ? 1 : 0
      for i in numbers.indices { numbers[i] = base + 0.3 * noise.next() }
    }
    let tokens = (0..<40).map { (7 * $0 * $0 + 3 * $0) % 13 }
    for parts in [40, 1] {
      let logits = try model.logits(tokens, parts: parts, maximumRows: 48)
      #expect(largestDifference(Array(logits[5 * 13..<6 * 13]), sixth) < Self.tolerance)
      #expect(largestDifference(Array(logits.suffix(13)), last) < Self.tolerance)
    }
  }

  private static let sizes = """
    name: reference
    vocab_size: 13
    context_length: 64
    hidden_size: 16
    norm: {type: rmsnorm, eps: 1.0e-5}

    """

  @Test("a state space of two groups", arguments: [64, 16, 7])
  func stateSpace(_ chunk: Int) throws {
    try check(
      Self.sizes + """
        layers: {count: 2}
        position: none
        attention: {type: mamba2, num_heads: 4, state_size: 6, num_groups: 2, chunk_size: \(chunk)}
        mlp: none
        """,
      [
        -0.501341, -1.060855, 1.067973, -0.304579, -0.86924, -0.763488, 1.038038, 0.14961, -0.676629, 0.609865,
        0.889304, 1.347021, -0.422427,
      ],
      [
        0.481374, -0.39377, 1.16714, -1.913976, -1.325493, 0.496015, 1.610118, 0.996364, 1.001854, 0.831987, 1.005197,
        0.501102, 0.991729,
      ])
  }

  @Test("a short convolution, then attention")
  func convolution() throws {
    try check(
      Self.sizes + """
        layers: {count: 2, overrides: [{layers: 0, attention: {type: short_conv}}]}
        position: {type: rope, theta: 1000000}
        attention: {num_heads: 4, num_kv_heads: 2, qk_norm: {scope: head}}
        mlp: {intermediate_size: 24, gated: true, activation: silu}
        head: {tied: true}
        """,
      [
        -0.839198, -0.228499, -0.502112, 0.906447, 1.42415, -0.97533, 1.46045, 0.318021, 2.30897, 0.112855, -0.483423,
        -0.129482, -0.065392,
      ],
      [
        1.696678, 0.261509, -1.794418, 1.604843, -0.631298, -1.81639, 0.603797, -0.994179, 0.6191, -0.25291, 0.455025,
        0.505642, 0.431608,
      ])
  }

  @Test("gated retention", arguments: [64, 9])
  func retention(_ chunk: Int) throws {
    try check(
      Self.sizes + """
        layers: {count: 1}
        position: rope
        attention: {type: linear_attention, num_heads: 2, head_dim: 4, v_head_dim: 6, decay_temperature: 2,
          chunk_size: \(chunk), output_gate: {activation: silu}}
        mlp: none
        """,
      [
        1.160026, -0.269263, -0.760088, 0.804115, -0.031714, 0.40338, -0.637587, 0.254103, 0.807316, -0.174941,
        -0.017548, -1.250975, -0.605504,
      ],
      [
        0.216349, 0.592923, 0.393647, -0.583136, 0.042673, -1.418479, -0.19293, -0.011878, 1.439575, -0.553649,
        -0.291603, -0.213194, 0.622948,
      ])
  }
}
