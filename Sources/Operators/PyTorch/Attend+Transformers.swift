import Plans

extension Attend {
  /// Whether the attention functions of the library transformers can say what each of `all` does: a causal mask with a
  /// window at most, and nothing added to scores. They take a mask of which some of them read nothing, so that a bias in
  /// it would be lost without a word.
  public static func isLibrarys(_ all: [Attend]) -> Bool {
    all.allSatisfy { $0.bias == nil && $0.choice == nil && $0.mask == .causal }
  }

  /// What the library calls a layer with the window `window` in a model with `windows`; nil is none.
  public static func layerType(_ window: Int?, of windows: [Int?]) -> String {
    guard let window else { return "full_attention" }
    return Set(windows.compactMap { $0 }).count == 1 ? "sliding_attention" : "window_\(window)"
  }

  /// Through the library's attention functions, or by a function of its own that adds its bias.
  func transformers(_ call: inout PyTorchCall, _ all: [Attend]) -> PyTorchExpression? {
    let isShared = all.contains { $0.heads != $0.keyHeads }
    call.readsVariables("q", "k", "v")
    isPart(&call)
    call.names("y")
    let q = call.heads(heads, ofInput: 0, named: "num_heads")
    let keyHeadsName = isShared ? "num_kv_heads" : "num_heads"
    let k = call.heads(keyHeads, ofInput: 1, named: keyHeadsName)
    let v = valuesInKeys == nil ? call.heads(keyHeads, ofInput: 2, named: keyHeadsName) : nil
    if Self.isLibrarys(all) { return byLibrary(&call, all, q, k, v) }
    call.output(is: .heads(heads), headCount: "num_heads")
    return byFunction(&call, all, q, k, v)
  }

  /// `ALL_ATTENTION_FUNCTIONS`, in the words by which servers find them in a source.
  private func byLibrary(
    _ call: inout PyTorchCall, _ all: [Attend], _ q: PyTorchExpression, _ k: PyTorchExpression, _ v: PyTorchExpression?
  ) -> PyTorchExpression? {
    call.keeps("config", "config")
    call.keeps("is_causal", "True")
    let groups = call.setting("num_key_value_groups", PyTorchExpression(heads / keyHeads))
    guard groups.text == "self.num_key_value_groups" else { return nil }
    let hasWindows = all.contains { $0.window != nil }
    let windowValue = window.map { PyTorchExpression($0) } ?? "None"
    let window = hasWindows ? call.setting("sliding_window", windowValue) : nil
    let windows = all.map(\.window)
    let type = PyTorchExpression("\"\(Self.layerType(self.window, of: windows))\"")
    let mask = call.attentionMask(of: Set(windows).count > 1 ? call.setting("layer_type", type) : nil)
    var named = [("scaling", call.setting("scaling", PyTorchExpression(scale)))]
    if let window { named.append(("sliding_window", window)) }
    if all.contains(where: { $0.softcap != nil }) {
      let cap = softcap.map { PyTorchExpression($0) } ?? "None"
      named.append(("softcap", call.setting("attn_logit_softcapping", cap)))
    }
    if sinks { named.append(("s_aux", call.parameter())) }
    let cache = call.libraryCache()
    if let valuesInKeys {
      // The one key is kept; its first numbers are the values.
      call.statement("keys = \(k.method("transpose", "1", "2").text)")
      call.statement(
        "if \(cache.text) is not None:\n    keys, _ = \(cache.text).update(keys, keys[..., :0], self.layer_idx)")
      call.statement("values = keys[..., :\(valuesInKeys)]")
    } else if let v {
      call.statement("keys, values = \(k.method("transpose", "1", "2").text), \(v.method("transpose", "1", "2").text)")
      call.statement(
        "if \(cache.text) is not None:\n    keys, values = \(cache.text).update(keys, values, self.layer_idx)")
    }
    call.statement(
      "attend = ALL_ATTENTION_FUNCTIONS.get_interface(self.config._attn_implementation, eager_attention)")
    call.define(
      "eager_attention", Self.eager(caps: all.contains { $0.softcap != nil }, sinks: all.contains(where: \.sinks)))
    let attend = PyTorchExpression.call(
      "attend", ["self", q.method("transpose", "1", "2"), "keys", "values", mask], named: named)
    call.statement("attended, _ = \(attend.text.dropLast()), **kwargs)")
    // Rows by the queries' own: a server's function gives those of all texts in one, its heads joined already.
    call.givesVariables()
    let isName = q.text.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
    return PyTorchExpression("attended").method(
      "reshape", "*\(isName ? q.text : call.input(0).text).shape[:2]", "-1")
  }

  private static func eager(caps: Bool, sinks: Bool) -> String {
    var lines = [
      "def eager_attention(module, q, k, v, mask, scaling\(caps ? ", softcap=None" : "")\(sinks ? ", s_aux=None" : ""), **kwargs):"
    ]
    let scores = caps ? "softcap·tanh(scaling·q·kᵀ / softcap)" : "scaling·q·kᵀ"
    lines.append("    \"\"\"y = softmax(\(scores) + mask)·v; q, k, v: [batch, heads, tokens, width].")
    if sinks { lines.append("\n    A sink is a score that takes weight and adds no value.") }
    lines.append("    \"\"\"")
    if !sinks {
      lines[1] += "\"\"\""
      lines.removeLast()
    }
    lines.append("    k = k.repeat_interleave(module.num_key_value_groups, dim=1)")
    lines.append("    v = v.repeat_interleave(module.num_key_value_groups, dim=1)")
    lines.append("    scores = scaling * q @ k.transpose(-2, -1)")
    if caps { lines.append("    if softcap is not None:\n        scores = softcap * torch.tanh(scores / softcap)") }
    lines.append("    if mask is not None:\n        scores = scores + mask[..., : k.size(2)]")
    if sinks {
      lines.append("    if s_aux is not None:")
      lines.append("        sink = s_aux.view(-1, 1, 1).expand(*scores.shape[:-1], 1)")
      lines.append("        scores = torch.cat([scores, sink], dim=-1)")
    }
    lines.append(
      "    weights = scores.softmax(-1, dtype=torch.float32).to(q.dtype)\(sinks ? "[..., : k.size(2)]" : "")")
    lines.append("    return (weights @ v).transpose(1, 2).contiguous(), weights")
    return lines.joined(separator: "\n")
  }

  /// A function of the file, for scores to which something is added.
  private func byFunction(
    _ call: inout PyTorchCall, _ all: [Attend], _ q: PyTorchExpression, _ k: PyTorchExpression, _ v: PyTorchExpression?
  ) -> PyTorchExpression? {
    let (windows, full) = (all.contains { $0.window != nil }, all.contains { $0.mask == .full })
    let latent = all.contains { $0.valuesInKeys != nil }
    guard !latent || all.allSatisfy({ $0.valuesInKeys != nil }) else { return nil }
    let (caps, sinks) = (all.contains { $0.softcap != nil }, all.contains(where: \.sinks))
    var arguments = ["q", "k", latent ? "width" : "v", "cache", "layer_idx", "positions", "key_positions", "scale"]
    if windows { arguments.append("window=None") }
    if caps { arguments.append("softcap=None") }
    if sinks { arguments.append("sinks=None") }
    if full { arguments.append("causal=True") }
    arguments.append("bias=None")
    let choices = all.contains { $0.choice != nil }
    if choices { arguments.append("chosen=None") }
    var lines = ["def attend(\(arguments.joined(separator: ", "))):"]
    let scores = caps ? "softcap·tanh(scale·q·kᵀ / softcap)" : "scale·q·kᵀ"
    lines.append("    \"\"\"y = softmax(\(scores) + bias)·v, over the keys up to a query's own.")
    lines.append("")
    lines.append("    q, k, v: [batch, tokens, heads, width]. A key at a position below zero is padding.")
    if windows { lines.append("    A window is the number of keys that a query sees, its own included.") }
    if sinks { lines.append("    A sink is a score that takes weight and adds no value.") }
    if latent { lines.append("    The values are the first `width` numbers of the keys.") }
    lines.append("    \"\"\"")
    lines.append(
      latent
        ? "    q, k = q.transpose(1, 2), k.transpose(1, 2)\n    v = k[..., :0]"
        : "    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)")
    lines.append("    if cache is not None:\n        k, v = cache.update(k, v, layer_idx)")
    if latent { lines.append("    v = k[..., :width]") }
    lines.append("    S = k.size(2)")
    lines.append("    query = positions[:, None, :, None]")
    lines.append("    key = key_positions[:, None, None, -S:]")
    lines.append("    seen = (key >= 0) & (key <= query)")
    if windows { lines.append("    if window is not None:\n        seen = seen & (query - key < window)") }
    if full { lines.append("    if not causal:\n        seen = (key >= 0).expand_as(seen)") }
    if choices { lines += Self.shownAlone }
    lines.append("    mask = query.new_zeros(1) if bias is None else bias(query, key)")
    lines.append("    mask = mask.float().masked_fill(~seen, float(\"-inf\")).to(q.dtype)")
    if caps || sinks {
      lines.append("    k = k.repeat_interleave(q.size(1) // k.size(1), dim=1)")
      lines.append("    v = v.repeat_interleave(q.size(1) // v.size(1), dim=1)")
      lines += Self.eager(caps: caps, sinks: sinks, biases: true)
    } else {
      lines.append("    y = F.scaled_dot_product_attention(q, k, v, mask, scale=scale, enable_gqa=True)")
    }
    lines.append("    return y.transpose(1, 2)")
    call.define("attend", lines.joined(separator: "\n"))
    var named = [("scale", call.setting("scaling", PyTorchExpression(scale)))]
    if windows { named.append(("window", call.setting("window", window.map { PyTorchExpression($0) } ?? "None"))) }
    if let softcap { named.append(("softcap", call.setting("softcap", PyTorchExpression(softcap)))) }
    if sinks { named.append(("sinks", call.parameter())) }
    if mask == .full { named.append(("causal", "False")) }
    if let bias {
      guard let expression = bias.pytorch(&call) else { return nil }
      named.append(("bias", PyTorchExpression("lambda query, key: \(expression.text)", .whole)))
    }
    if choice != nil { named.append(("chosen", call.input(choiceInput, as: .own))) }
    let places = [call.libraryCache(), "self.layer_idx", call.positions(), call.keyPositions()]
    let values = valuesInKeys.map { PyTorchExpression($0) } ?? v ?? "v"
    return .call("attend", [q, k, values] + places, named: named)
  }
}
