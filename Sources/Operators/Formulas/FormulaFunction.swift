/// The functions that a formula may call.
enum FormulaFunction: String, CaseIterable {
  case exp, log, sqrt, abs, sin, cos, tanh, sigmoid, erf, relu, softplus, silu, gelu, max, min, clamp
  case choose = "if"

  var argumentCount: Int {
    switch self {
    case .max, .min: 2
    case .clamp, .choose: 3
    default: 1
    }
  }

  /// How it is called.
  var usage: String {
    switch self {
    case .max, .min: "\(rawValue)(a, b)"
    case .clamp: "clamp(a, least, most)"
    case .choose: "if(a > b, then, else)"
    default: "\(rawValue)(a)"
    }
  }

  /// Writes the function of `arguments`; of `if`, the first is above zero where the condition holds.
  func write(_ arguments: [Int], into graph: inout FormulaGraph) -> Int {
    let a = arguments[0]
    switch self {
    case .exp: return graph.apply(.exponential, a)
    case .log: return graph.apply(.logarithm, a)
    case .sqrt: return graph.apply(.root, a)
    case .abs: return graph.apply(.absolute, a)
    case .sin: return graph.apply(.sine, a)
    case .cos: return graph.apply(.cosine, a)
    case .tanh: return graph.apply(.hyperbolicTangent, a)
    case .sigmoid: return graph.apply(.sigmoid, a)
    case .erf: return graph.apply(.errorFunction, a)
    case .relu: return graph.apply(.larger, a, graph.number(0))
    case .silu: return graph.apply(.multiply, a, graph.apply(.sigmoid, a))
    case .max: return graph.apply(.larger, a, arguments[1])
    case .min: return graph.apply(.smaller, a, arguments[1])
    case .clamp: return graph.apply(.smaller, graph.apply(.larger, a, arguments[1]), arguments[2])
    case .choose: return graph.apply(.choose, a, arguments[1], arguments[2])
    case .softplus:
      // max(a, 0) + ln(1 + exp(−|a|)): nothing overflows, and the derivative stays σ(a) to the last bits.
      let away = graph.apply(.exponential, graph.apply(.subtract, graph.number(0), graph.apply(.absolute, a)))
      let rest = graph.apply(.logarithm, graph.apply(.add, graph.number(1), away))
      return graph.apply(.add, graph.apply(.larger, a, graph.number(0)), rest)
    case .gelu:
      let share = graph.apply(.errorFunction, graph.apply(.multiply, a, graph.number(0.5.squareRoot())))
      return graph.apply(
        .multiply, graph.apply(.multiply, a, graph.number(0.5)), graph.apply(.add, graph.number(1), share))
    }
  }
}
