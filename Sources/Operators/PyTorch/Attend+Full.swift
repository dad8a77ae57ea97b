import Plans

extension Attend {
  /// `attend_all(q, k, v, scale=…)`, one function for all attention of a model in which queries see keys after their own: of
  /// encoders, of pictures, of the rows of another stack.
  func seeingAll(_ call: inout PyTorchCall, _ all: [Attend]) -> PyTorchExpression? {
    let hasWindows = all.contains { $0.window != nil || $0.windowAfter != nil }
    guard !sinks, valuesInKeys == nil, choice == nil, windows == nil, canvas == nil,
      (window == nil) == (windowAfter == nil), !hasWindows || all.allSatisfy({ !$0.addsToScores })
    else { return nil }
    let isShared = all.contains { $0.heads != $0.keyHeads }
    isPart(&call)
    if call.step.inputs[1].axis != call.step.inputs[0].axis { call.isPart(of: "CrossAttention", rank: 3) }
    let q = call.heads(heads, ofInput: 0, named: "num_heads")
    let keyHeadsName = isShared ? "num_kv_heads" : "num_heads"
    let k = call.heads(keyHeads, ofInput: 1, named: keyHeadsName)
    let v = call.heads(keyHeads, ofInput: 2, named: keyHeadsName)
    let factor = PyTorchExpression(scale)
    let isOne = all.allSatisfy { $0.scale == scale }
    var named: [(String, PyTorchExpression)] = [("scale", isOne ? factor : call.setting("scale", factor))]
    if hasWindows {
      func edge(_ value: Int?) -> PyTorchExpression { value.map { PyTorchExpression($0) } ?? "None" }
      named.append(("before", call.setting("window_before", edge(window))))
      named.append(("after", call.setting("window_after", edge(windowAfter))))
    }
    if let softcap { named.append(("softcap", call.setting("softcap", PyTorchExpression(softcap)))) }
    if addsToScores {
      guard let added = added(&call) else { return nil }
      named.append(("bias", added))
    }
    call.readsVariables("q", "k", "v")
    call.define("attend_all", Self.functionSeeingAll(for: all))
    call.output(is: .heads(heads), headCount: "num_heads")
    call.names("y")
    return .call("attend_all", [q, k, v], named: named)
  }

  private static func functionSeeingAll(for all: [Attend]) -> String {
    let isShared = all.contains { $0.heads != $0.keyHeads }
    let caps = all.contains { $0.softcap != nil }
    let windows = all.contains { $0.window != nil }
    let biases = all.contains(where: \.addsToScores)
    var arguments = ["q", "k", "v", "scale"]
    if windows { arguments += ["before=None", "after=None"] }
    if caps { arguments.append("softcap=None") }
    if biases { arguments.append("bias=None") }
    let scores = caps ? "softcap·tanh(scale·q·kᵀ / softcap)" : "scale·q·kᵀ"
    var lines = ["def attend_all(\(arguments.joined(separator: ", "))):"]
    lines.append("    \"\"\"y = softmax(\(scores)\(biases ? " + bias" : ""))·v, over all keys.")
    lines.append("")
    lines.append(
      "    q, k, v: [batch, rows, heads, width]\(isShared ? "; query heads share the heads of k and v" : "").")
    if windows { lines.append("    A window is so many keys before the query's own, and so many after it.") }
    lines.append("    \"\"\"")
    lines.append("    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)")
    if windows || biases {
      lines.append("    query = torch.arange(q.size(2), device=q.device)[:, None]")
      lines.append("    key = torch.arange(k.size(2), device=q.device)")
      lines.append("    mask = None")
    }
    if windows {
      lines.append("    if before is not None:")
      lines.append("        mask = (query - key <= before) & (key - query <= after)")
    }
    if biases { lines.append("    if bias is not None:\n        mask = bias(query, key).to(q.dtype)") }
    let mask = windows || biases ? ", mask" : ""
    if !caps {
      let grouped = isShared ? ", enable_gqa=True" : ""
      lines.append("    y = F.scaled_dot_product_attention(q, k, v\(mask), scale=scale\(grouped))")
      return (lines + ["    return y.transpose(1, 2)"]).joined(separator: "\n")
    }
    if isShared {
      lines.append("    k = k.repeat_interleave(q.size(1) // k.size(1), dim=1)")
      lines.append("    v = v.repeat_interleave(q.size(1) // v.size(1), dim=1)")
    }
    lines.append("    scores = scale * q @ k.transpose(-2, -1)")
    lines.append("    if softcap is not None:\n        scores = softcap * torch.tanh(scores / softcap)")
    if windows {
      lines.append("    if mask is not None:\n        scores = scores.masked_fill(~mask, float(\"-inf\"))")
    } else if biases {
      lines.append("    if mask is not None:\n        scores = scores + mask")
    }
    lines.append("    y = scores.softmax(-1, dtype=torch.float32).to(v.dtype) @ v")
    return (lines + ["    return y.transpose(1, 2)"]).joined(separator: "\n")
  }
}
