import Plans

extension Attend {
  /// `attend(q, k, v, scale=…)`, one function for all attention of a model, with the arguments that any of it needs.
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    let peers = call.peers.compactMap { $0 as? Attend }
    if call.form == .transformers {
      return table == nil && mask == .causal ? transformers(&call, peers) : nil
    }
    if mask == .full { return seeingAll(&call, peers.filter { $0.mask == .full }) }
    let all = peers.filter { $0.mask != .full }
    guard all.allSatisfy({ $0.mask == mask }) else { return nil }
    let isShared = all.contains { $0.heads != $0.keyHeads }
    call.readsVariables("q", "k", "v")
    isPart(&call)
    let q = call.heads(heads, ofInput: 0, named: "num_heads")
    let k = call.heads(keyHeads, ofInput: 1, named: isShared ? "num_kv_heads" : "num_heads")
    let factor = PyTorchExpression(scale)
    let isOne = all.allSatisfy { $0.scale == scale }
    var named: [(String, PyTorchExpression)] = [("scale", isOne ? factor : call.setting("scale", factor))]
    // Layers with windows and layers without are told apart by this number alone.
    let width =
      all.contains { $0.window != nil } ? call.setting("window", window.map { PyTorchExpression($0) } ?? "None") : nil
    if let width { named.append(("window", width)) }
    if let softcap { named.append(("softcap", call.setting("softcap", PyTorchExpression(softcap)))) }
    if sinks { named.append(("sinks", call.parameter())) }
    if all.contains(where: \.addsToScores) { named.append(("positions", call.positions())) }
    if addsToScores {
      guard let added = added(&call) else { return nil }
      named.append(("bias", added))
    }
    if mask == .prefix { named.append(("prefix", call.prefix())) }
    if mask == .image { named.append(("pictures", call.pictures())) }
    if choice != nil { named.append(("chosen", call.input(choiceInput, as: .own))) }
    call.define("attend", Self.function(for: all))
    call.define("keep", Self.keep(for: all))
    let cache = call.cache().text + (width.map { ", \($0.text)" } ?? "")
    call.output(is: .heads(heads), headCount: "num_heads")
    call.names("y")
    if let valuesInKeys {
      // The one key is kept; its first numbers are the values.
      return .call("attend", [q, "*keep(\(cache), k=\(k.text))", PyTorchExpression(valuesInKeys)], named: named)
    }
    let v = call.heads(keyHeads, ofInput: 2, named: isShared ? "num_kv_heads" : "num_heads")
    let kept = "keep(\(cache), k=\(k.text), v=\(v.text))"
    if named.count == 1 { return .call("attend", [q, PyTorchExpression("*\(kept)")], named: named) }
    call.statement("keys, values = \(kept)")
    return .call("attend", [q, "keys", "values"], named: named)
  }

  /// Says what the part is that attends.
  func isPart(_ call: inout PyTorchCall) {
    call.isPart(
      of: valuesInKeys != nil ? "LatentAttention" : window != nil ? "SlidingAttention" : "Attention", rank: 2)
    if addsToScores { call.isPart(adjective: "Biased") }
  }

  /// Whether something is added to scores.
  var addsToScores: Bool { bias != nil || table != nil }

  /// What is added to the scores of queries and keys at their positions.
  func added(_ call: inout PyTorchCall) -> PyTorchExpression? {
    var sum: PyTorchExpression?
    if let bias {
      guard let own = bias.pytorch(&call) else { return nil }
      sum = own
    }
    if let table {
      guard let rows = table.pytorch(&call, call.parameter(sinks ? 1 : 0)) else { return nil }
      sum = sum.map { $0 + rows } ?? rows
    }
    return sum.map { PyTorchExpression("lambda query, key: \($0.text)", .whole) }
  }

  /// The function that keeps what later tokens of `all` read again.
  private static func keep(for all: [Attend]) -> String {
    let (some, every) = (all.contains { $0.window != nil }, all.allSatisfy { $0.window != nil })
    let argument = some ? every ? ", window" : ", window=None" : ""
    let kept =
      some
      ? every ? "rows[name][:, -window:]" : "rows[name] if window is None else rows[name][:, -window:]" : "rows[name]"
    return """
      def keep(cache\(argument), **rows):
          \"""These rows after those of earlier tokens\(some ? "; of a window, only its rows stay" : "").\"""
          for name, new in rows.items():
              if cache is not None:
                  rows[name] = torch.cat([cache[name], new], dim=1) if name in cache else new
                  cache[name] = \(kept)
          return rows.values()
      """
  }

  /// The function that computes each of `all`.
  private static func function(for all: [Attend]) -> String {
    let isShared = all.contains { $0.heads != $0.keyHeads }
    let (caps, sinks) = (all.contains { $0.softcap != nil }, all.contains(where: \.sinks))
    let (windows, biases) = (all.contains { $0.window != nil }, all.contains(where: \.addsToScores))
    let latent = all.contains { $0.valuesInKeys != nil }
    let choices = all.contains { $0.choice != nil }
    var arguments = latent && all.allSatisfy { $0.valuesInKeys != nil } ? ["q", "k", "width"] : ["q", "k", "v"]
    let isLatent = arguments[2] == "width"
    arguments.append("scale")
    let mask = all.first?.mask ?? .causal
    if mask == .prefix { arguments.append("prefix") }
    if mask == .image { arguments.append("pictures") }
    let isWindowed = all.allSatisfy { $0.window != nil }
    if windows { arguments.append(isWindowed ? "window" : "window=None") }
    if caps { arguments.append("softcap=None") }
    if sinks { arguments.append("sinks=None") }
    if biases { arguments += ["positions=None", "bias=None"] }
    if choices { arguments.append("chosen=None") }
    var lines = ["def attend(\(arguments.joined(separator: ", "))):"]
    let scores = caps ? "softcap·tanh(scale·q·kᵀ / softcap)" : "scale·q·kᵀ"
    lines.append("    \"\"\"y = softmax(\(scores)\(biases ? " + bias" : ""))·v, over the keys up to a query's own.")
    lines.append("")
    lines.append(
      "    q, k, v: [batch, tokens, heads, width]\(isShared ? "; query heads share the heads of k and v" : "").")
    if windows { lines.append("    A window is the number of keys that a query sees, its own included.") }
    if sinks { lines.append("    A sink is a score that takes weight and adds no value.") }
    if mask == .prefix { lines.append("    The first `prefix` tokens of a text see each other.") }
    if mask == .image {
      lines.append("    Tokens of one of the `pictures` see each other; 0 is none: [batch, tokens].")
    }
    if isLatent { lines.append("    The values are the first `width` numbers of the keys.") }
    lines.append("    \"\"\"")
    lines.append(
      isLatent
        ? "    q, k = q.transpose(1, 2), k.transpose(1, 2)\n    v = k[..., :width]"
        : "    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)")
    lines.append("    T, S = q.size(2), k.size(2)")
    let plain = !windows && !caps && !sinks && !biases && !choices && mask == .causal
    let grouped = isShared ? ", enable_gqa=True" : ""
    if plain {
      lines.append("    # All tokens at once see those before them; a single new one sees every key.")
      lines.append("    mask = None")
      lines.append("    if 1 < T < S:")
      lines.append("        mask = torch.ones(T, S, dtype=torch.bool, device=q.device).tril(S - T)")
      lines.append(
        "    y = F.scaled_dot_product_attention(q, k, v, mask, is_causal=T == S, scale=scale\(grouped))")
    } else {
      lines += masks(windows: windows, always: isWindowed, biases: biases, choices: choices, mask)
      if caps || sinks {
        if isShared {
          lines.append("    k = k.repeat_interleave(q.size(1) // k.size(1), dim=1)")
          lines.append("    v = v.repeat_interleave(q.size(1) // v.size(1), dim=1)")
        }
        lines += eager(caps: caps, sinks: sinks, biases: biases)
      } else {
        lines.append(
          "    y = F.scaled_dot_product_attention(q, k, v, \(biases ? "mask" : "seen"), scale=scale\(grouped))")
      }
    }
    lines.append("    return y.transpose(1, 2)")
    return lines.joined(separator: "\n")
  }

  /// Which keys a query sees, and what is added to its scores.
  private static func masks(windows: Bool, always isWindowed: Bool, biases: Bool, choices: Bool, _ mask: Mask)
    -> [String]
  {
    var lines: [String] = []
    if biases {
      lines.append("    query = positions[:, None]")
      lines.append("    key = positions[-1] + 1 - S + torch.arange(S, device=q.device)")
    } else {
      lines.append("    query = torch.arange(S - T, S, device=q.device)[:, None]")
      lines.append("    key = torch.arange(S, device=q.device)")
    }
    let isWindowed = isWindowed && mask == .causal
    lines.append("    seen = \(isWindowed ? "(query >= key) & (query - key < window)" : "query >= key")")
    if mask == .prefix { lines.append("    seen = seen | (torch.maximum(query, key) < prefix)") }
    if mask == .image {
      lines.append("    same = (pictures[:, :, None] == pictures[:, None, :]) & (pictures[:, :, None] > 0)")
      lines.append("    seen = seen | F.pad(same, (S - T, 0))[:, None]")
    }
    if windows, !isWindowed { lines.append("    if window is not None:\n        seen = seen & (query - key < window)") }
    if choices { lines += Self.shownAlone }
    if biases {
      lines.append("    mask = torch.zeros(T, S, device=q.device) if bias is None else bias(query, key)")
      lines.append("    mask = mask.masked_fill(~seen, float(\"-inf\")).to(q.dtype)")
    }
    return lines
  }

  /// Of the keys seen those that were chosen: `chosen` is [batch, groups of heads, queries, keys].
  static let shownAlone = [
    "    if chosen is not None:",
    "        seen = seen & chosen.repeat_interleave(q.size(1) // chosen.size(1), dim=1)",
  ]

  static func eager(caps: Bool, sinks: Bool, biases: Bool) -> [String] {
    var lines = ["    scores = scale * q @ k.transpose(-2, -1)"]
    if caps { lines.append("    if softcap is not None:\n        scores = softcap * torch.tanh(scores / softcap)") }
    lines.append(
      biases ? "    scores = scores + mask" : "    scores = scores.masked_fill(~seen, float(\"-inf\"))")
    guard sinks else { return lines + ["    y = scores.softmax(-1, dtype=torch.float32).to(v.dtype) @ v"] }
    lines.append("    if sinks is not None:")
    lines.append("        sink = sinks.view(-1, 1, 1).expand(*scores.shape[:-1], 1)")
    lines.append("        scores = torch.cat([scores, sink], dim=-1)")
    lines.append("    y = scores.softmax(-1, dtype=torch.float32)[..., :S].to(v.dtype) @ v")
    return lines
  }
}
