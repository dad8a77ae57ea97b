import Components
import Essentials

extension RoPEAngles {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    // In a text alone the three places of a token are its position, and sections say nothing.
    guard axis.isOfText else { return nil }
    call.names("rope")
    call.output(is: .own)
    let name = scaling == .none ? "rope_angles" : "scaled_rope_angles"
    call.define(name, function(name, call))
    var arguments = [
      call.positions(), call.setting("rotary_dim", PyTorchExpression(width)),
      call.setting("rope_theta", PyTorchExpression(theta)),
    ]
    if lengthUse != .none { arguments.append(call.length()) }
    return .call(name, arguments)
  }

  private func function(_ name: String, _ call: PyTorchCall) -> String {
    let factor = attentionFactor == 1 ? "" : "\(PyTorchExpression(attentionFactor).text) * "
    var lines = ["def \(name)(positions, width, theta\(lengthUse == .none ? "" : ", length")):"]
    lines.append("    \"\"\"Cosines and sines of position·frequency, [tokens, 1, width / 2]: \(words)\"\"\"")
    lines += base
    lines.append("    i = torch.arange(0, width, 2, dtype=torch.float64, device=positions.device)")
    lines.append("    frequencies = theta ** -(i / width)")
    lines += changes
    lines.append("    angles = positions[..., None, None] * frequencies")
    lines.append(
      "    return (\(factor)angles.cos()).float(), (\(factor)angles.sin()).float()"
        .replacing("(angles.cos())", with: "angles.cos()").replacing("(angles.sin())", with: "angles.sin()"))
    return lines.joined(separator: "\n")
  }

  /// What cosines and sines are multiplied by.
  private var attentionFactor: Double { scaling.attentionFactor }

  private var words: String {
    switch scaling {
    case .none: "theta^(−2i/width)."
    case .linear: "divided by a factor."
    case .dynamic: "of a base that grows with the text."
    case .llama3: "low ones divided, high ones kept."
    case .yarn: "low ones divided, high ones kept, warmer."
    case .longrope: "each divided by a factor of its own."
    case .ntk: "of a base that grew once."
    case .proportional: "only the first turn."
    case .factors: "each divided by a factor of its own."
    }
  }

  private var base: [String] {
    switch scaling {
    case .dynamic(let factor, let original) where width > 2:
      [
        "    if length > \(original):",
        "        growth = \(number(factor)) * length / \(original) - \(number(factor - 1))",
        "        theta = theta * growth ** (width / (width - 2))",
      ]
    case .ntk(let alpha): ["    theta = theta * \(number(alpha)) ** (width / \(max(1, width - 2)))"]
    default: []
    }
  }

  private var changes: [String] {
    switch scaling {
    case .none, .dynamic, .ntk: return []
    case .linear(let factor): return ["    frequencies = frequencies / \(number(factor))"]
    case .factors(let factors): return ["    frequencies = frequencies / frequencies.new_tensor(\(list(factors)))"]
    case .proportional(let factor, let pairs):
      let divided = factor == 1 ? "frequencies" : "frequencies / \(number(factor))"
      return ["    frequencies = torch.where(i < \(2 * pairs), \(divided), 0.0)"]
    case .llama3(let factor, let low, let high, let original):
      let keep =
        low == high
        ? "(waves > \(number(low))).double()" : "((waves - \(number(low))) / \(number(high - low))).clamp(0, 1)"
      return [
        "    waves = \(original) * frequencies / (2 * math.pi)  # in the original context",
        "    kept = \(keep)",
        "    frequencies = (1 - kept) * frequencies / \(number(factor)) + kept * frequencies",
      ]
    case .yarn(let yarn):
      let (low, high) = yarn.ramp(theta: theta, width: width)
      return [
        "    # From the pair that turns \(number(yarn.betaFast)) times in \(yarn.original) tokens to that of \(number(yarn.betaSlow)).",
        "    divided = ((i / 2 - \(number(low))) / \(number(high - low))).clamp(0, 1)",
        "    frequencies = frequencies / \(number(yarn.factor)) * divided + frequencies * (1 - divided)",
      ]
    case .longrope(let scaling):
      return [
        "    short = \(list(scaling.short))",
        "    long = \(list(scaling.long))",
        "    factors = long if length > \(scaling.original) else short",
        "    frequencies = frequencies / frequencies.new_tensor(factors)",
      ]
    }
  }

  private func number(_ value: Double) -> String { PyTorchExpression(value).within(.atom) }

  private func list(_ values: [Double]) -> String {
    if let first = values.first, values.allSatisfy({ $0 == first }), values.count > 4 {
      return "[\(number(first))] * \(values.count)"
    }
    return "[\(values.map(number).joined(separator: ", "))]"
  }
}

extension RoPERotation {
  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    guard parts == 1 else { return nil }
    let isPart = call.step.inputs[1].width < call.step.inputs[0].width / heads
    let all = call.peers.compactMap { $0 as? RoPERotation }
    let name = interleaved && all.contains { !$0.interleaved } ? "rotate_neighbours" : "rotate"
    let (first, second) =
      interleaved ? ("0 : 2 * half : 2", "1 : 2 * half : 2") : (":half", "half : 2 * half")
    let turned =
      backward ? ["a * cos + b * sin", "b * cos - a * sin"] : ["a * cos - b * sin", "a * sin + b * cos"]
    var lines = ["def \(name)(x, angles):"]
    lines.append(
      "    \"\"\"The pairs \(interleaved ? "(2i, 2i + 1)" : "(i, i + half)") of each head, turned\(backward ? " backwards" : "") by their angles.\"\"\""
    )
    lines.append("    cos, sin = angles[0].to(x.dtype), angles[1].to(x.dtype)")
    lines.append("    half = cos.size(-1)")
    lines.append("    a, b = x[..., \(first)], x[..., \(second)]")
    let pairs =
      interleaved
      ? "torch.stack([\(turned[0]), \(turned[1])], dim=-1).flatten(-2)"
      : "torch.cat([\(turned[0]), \(turned[1])\(isPart ? ", x[..., 2 * half :]" : "")], dim=-1)"
    if interleaved, isPart {
      lines.append("    turned = \(pairs)")
      lines.append("    return torch.cat([turned, x[..., 2 * half :]], dim=-1)")
    } else {
      lines.append("    return \(pairs)")
    }
    call.define(name, lines.joined(separator: "\n"))
    call.isPart(adjective: "Rotary")
    call.output(is: .heads(heads))
    return .call(name, [call.heads(heads), call.input(1, as: .own)])
  }
}
