import Components

/// A norm that only scales, each of whose ways to be wrong is a type of its own.
///
///     y = x ⊙ (1 + scale)
///
/// Source: made for a test.
protocol BrokenScale: Normalization {
  static func backward(_ context: BackwardContext)
}

extension BrokenScale {
  func write(_ x: Value, named name: String, over span: NormSpan, into plan: inout PlanBuilder) -> Value {
    let parts = NormParts(width: x.width, span: span)
    let scale = plan.parameter("\(name).scale", shape: parts.weightShape, starts: .zeros, use: .vector)
    return plan.apply(BrokenScaling<Self>(parts: parts), to: x, parameters: [scale])
  }
}

struct BrokenScaling<Kind: BrokenScale>: Kernel {
  let name = "broken scale"
  let parts: NormParts

  var attributes: [Attribute] { parts.attributes }

  func forward(_ context: ForwardContext) {
    let (x, y, s) = (context.input(), context.output(), context.parameter().vector)
    for row in 0..<x.count {
      for i in 0..<x.width { y[row][i] = x[row][i] * (1 + s[i % parts.width]) }
    }
  }

  func backward(_ context: BackwardContext) { Kind.backward(context) }
  func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
}

/// The gradient of the scale has the wrong sign.
struct WrongSign: BrokenScale {
  static let name = "wrong_sign"
  init(_ options: Options) {}

  static func backward(_ context: BackwardContext) {
    let (x, dy, s) = (context.input(), context.outputGradient(), context.parameter().vector)
    let width = context.parameter().matrix.columns
    for row in 0..<dy.count {
      for i in 0..<dy.width {
        context.inputGradient()?[row][i] += dy[row][i] * (1 + s[i % width])
        context.parameterGradient()?[i % width] -= dy[row][i] * x[row][i]
      }
    }
  }
}

/// The gradient of x is assigned, where others have added to it.
struct Assigning: BrokenScale {
  static let name = "assigning"
  init(_ options: Options) {}

  static func backward(_ context: BackwardContext) {
    let (x, dy, s) = (context.input(), context.outputGradient(), context.parameter().vector)
    let width = context.parameter().matrix.columns
    for row in 0..<dy.count {
      for i in 0..<dy.width {
        context.inputGradient()?[row][i] = dy[row][i] * (1 + s[i % width])
        context.parameterGradient()?[i % width] += dy[row][i] * x[row][i]
      }
    }
  }
}

/// A mixer whose rows follow from others in a way that each kind of it says.
protocol BrokenMixer: Mixer {
  associatedtype Mixing: Operator
  static var mixing: Mixing { get }
}

extension BrokenMixer {
  func write(_ x: Value, layer: Layer, into plan: inout PlanBuilder) -> Value {
    let mixed = plan.apply(Self.mixing, to: x)
    return plan.linear(mixed, to: plan.shape.hiddenSize, named: "o", bias: false)
  }
}

/// Each token is added to the one before it: a peek at the future.
struct Peeking: BrokenMixer {
  static let name = "peeking"
  static var mixing: Peek { Peek() }
  init(_ options: Options) {}

  struct Peek: Kernel {
    let name = "peek"
    func forward(_ context: ForwardContext) {
      let (x, y) = (context.input(), context.output())
      for sequence in context.sequences {
        for row in sequence.rows {
          let next = min(row + 1, sequence.rows.upperBound - 1)
          for i in 0..<x.width { y[row][i] = x[row][i] + x[next][i] }
        }
      }
    }
    func backward(_ context: BackwardContext) {
      let dy = context.outputGradient()
      for sequence in context.sequences {
        for row in sequence.rows {
          let next = min(row + 1, sequence.rows.upperBound - 1)
          for i in 0..<dy.width {
            context.inputGradient()?[row][i] += dy[row][i]
            context.inputGradient()?[next][i] += dy[row][i]
          }
        }
      }
    }
    func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
  }
}

/// A running mean that forgets that a batch has several sequences.
struct Running: BrokenMixer {
  static let name = "running"
  static var mixing: Sum { Sum() }
  init(_ options: Options) {}

  struct Sum: Kernel {
    let name = "running sum"
    func forward(_ context: ForwardContext) {
      let (x, y) = (context.input(), context.output())
      for row in 0..<x.count {
        for i in 0..<x.width { y[row][i] = x[row][i] + (row > 0 ? 0.5 * y[row - 1][i] : 0) }
      }
    }
    func backward(_ context: BackwardContext) {
      let dy = context.outputGradient()
      guard let dx = context.inputGradient() else { return }
      for i in 0..<dy.width {
        var sum: Float = 0
        for row in (0..<dy.count).reversed() {
          sum = dy[row][i] + 0.5 * sum
          dx[row][i] += sum
        }
      }
    }
    func flops(step: Step, context: Int) -> Int { 2 * step.outputs[0].width }
  }
}

/// A copy by way of more scratch memory than is asked for.
struct Greedy: BrokenMixer {
  static let name = "greedy"
  static var mixing: Copy { Copy() }
  init(_ options: Options) {}

  struct Copy: Kernel {
    let name = "greedy copy"
    func forward(_ context: ForwardContext) {
      let (x, y) = (context.input(), context.output())
      context.parallel(1) { _, worker in
        for row in 0..<x.count {
          worker.scratch.update(from: x[row], count: x.width)
          y[row].update(from: worker.scratch, count: x.width)
        }
      }
    }
    func backward(_ context: BackwardContext) {
      let dy = context.outputGradient()
      for row in 0..<dy.count {
        for i in 0..<dy.width { context.inputGradient()?[row][i] += dy[row][i] }
      }
    }
    func scratch(step: Step, rows: Int, context: Int) -> Int { step.inputs[0].width / 2 }
    func flops(step: Step, context: Int) -> Int { 0 }
  }
}

/// An exact form that its `Float` form is not.
struct Inexact: ElementwiseActivation {
  static let name = "inexact"
  let flopsPerNumber = 1
  init(_ options: Options) {}
  func apply(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count { y[i] = 2 * x[i] }
  }
  func derivative(_ x: UnsafePointer<Float>, into slope: UnsafeMutablePointer<Float>, count: Int) {
    slope.update(repeating: 2, count: count)
  }
  func exact(_ x: Double) -> Double? { 2.001 * x }
}

/// A block that adds what sublayers give without a word of it.
///
///     x ← x + f(x)
///
/// Source: made for a test.
struct UnsaidSum: Block {
  static let name = "unsaid_sum"
  var needsFinalNorm: Bool { true }
  init(_ options: Options) {}

  func write(_ x: Value, sublayers: [Sublayer], norm: any Normalization, into plan: inout PlanBuilder) -> Value {
    var stream = x
    for sublayer in sublayers {
      let read = stream
      let result = plan.within(sublayer.scope) { plan in sublayer.write(read, &plan) }
      stream = plan.add(stream, result)
    }
    return stream
  }
}

/// A norm whose gain no attribute tells.
///
///     y = gain·x
///
/// Source: made for a test.
struct HiddenGain: Normalization {
  static let name = "hidden_gain"
  let gain: Float

  init(_ options: Options) { gain = Float(options.number("gain", default: 1.5, in: 0...100, "the factor")) }

  func write(_ x: Value, named name: String, over span: NormSpan, into plan: inout PlanBuilder) -> Value {
    plan.apply(Gain(gain: gain), to: x)
  }

  struct Gain: Kernel {
    let name = "gain"
    let gain: Float

    var traits: OperatorTraits { OperatorTraits(isRowwise: true, backwardReadsInputs: .none, assignsGradients: true) }

    func forward(_ context: ForwardContext) {
      let (x, y) = (context.input(), context.output())
      for i in 0..<x.count * x.width { y.base[i] = gain * x.base[i] }
    }

    func backward(_ context: BackwardContext) { context.passGradient(to: 0, times: gain) }
    func flops(step: Step, context: Int) -> Int { step.outputs[0].width }
  }
}
