import Components
import Kernels
import Synchronization

/// Sets a part of the numbers to zero while training, and enlarges the others.
///
///     y_i = x_i / (1 − p) with probability 1 − p, else 0
///
/// Srivastava et al., 2014, https://jmlr.org/papers/v15/srivastava14a.html.
/// What is dropped follows from the seed, the step, the index of the dropout in the plan and i, so backward finds it again and a resumed
/// run drops the same. Between steps, as in validation, nothing is dropped.
package struct Dropout: Kernel {
  package let name = "dropout"
  let probability: Double
  /// Which of the plan's dropouts it is.
  let index: UInt64
  let clock: DropoutClock

  package var attributes: [Attribute] { [Attribute("probability", probability), Attribute("index", Int(index))] }
  package var traits: OperatorTraits { OperatorTraits(overwritableInput: 0, backwardReadsInputs: .none) }

  package func forward(_ context: ForwardContext) {
    let x = context.input()
    let y = context.output()
    guard let mask = mask else {
      if x.base != y.base { y.base.update(from: x.base, count: y.count * y.width) }
      return
    }
    context.parallel(y.count * y.width, grain: 1 << 14) { numbers, _ in
      for i in numbers { y.base[i] = mask.keeps(i) ? x.base[i] * mask.factor : 0 }
    }
  }

  /// `dx_i += dy_i / (1 − p)` where x_i was kept.
  package func backward(_ context: BackwardContext) {
    guard let dx = context.inputGradient() else { return }
    let dy = context.outputGradient()
    let mask = mask
    context.parallel(dy.count * dy.width, grain: 1 << 14) { numbers, _ in
      for i in numbers {
        if let mask { dx.base[i] += mask.keeps(i) ? dy.base[i] * mask.factor : 0 } else { dx.base[i] += dy.base[i] }
      }
    }
  }

  package func flops(step: Step, context: Int) -> Int { step.outputs[0].width }

  private var mask: Mask? {
    clock.key.map { key in
      Mask(
        key: UInt32(truncatingIfNeeded: CounterRandom(seed: key, stream: index)[0]),
        threshold: UInt32((probability * 0x1p32).rounded(.down).clamped(to: 0...0x1p32 - 1)),
        factor: Float(1 / (1 - probability)))
    }
  }

  /// Which numbers are kept.
  package struct Mask {
    let key: UInt32
    let threshold: UInt32
    let factor: Float

    package init(key: UInt32, threshold: UInt32, factor: Float) {
      (self.key, self.threshold, self.factor) = (key, threshold, factor)
    }

    /// Whether number `index` is: a hash of it (Wellons' lowbias32, 2018, https://nullprogram.com/blog/2018/07/31/) is large enough.
    @inline(__always)
    package func keeps(_ index: Int) -> Bool {
      var x = UInt32(truncatingIfNeeded: index) ^ key
      x ^= x >> 16
      x = x &* 0x7feb_352d  // wraps, as the hash is defined
      x ^= x >> 15
      x = x &* 0x846c_a68b
      x ^= x >> 16
      return x >= threshold
    }
  }
}

/// Tells a plan's dropouts what step it is.
package final class DropoutClock: Sendable {
  private let seed: UInt64
  private let now = Mutex<UInt64?>(nil)

  package init(seed: UInt64) { self.seed = seed }

  /// Batch `part` of step `step` begins.
  func begin(step: Int, part: Int) {
    now.withLock { $0 = CounterRandom(seed: seed, stream: 0xd809)[UInt64(step) << 16 | UInt64(part)] }
  }

  /// Nothing is dropped from here on.
  func end() { now.withLock { $0 = nil } }

  /// What the masks of this batch follow from; nil when nothing is dropped.
  var key: UInt64? { now.withLock { $0 } }
}

extension Plan {
  /// The plan with dropouts where GPT-2 has them outside attention: on the embeddings, and on what each sublayer adds to
  /// the residual stream. The stream itself is not dropped, nor what a sublayer adds for itself.
  package func droppingOut(_ probability: Double, _ clock: DropoutClock) -> Plan {
    var steps: [Step] = []
    var added: [Value] = []
    var index: UInt64 = 0
    func drop(_ value: Value, scope: TensorName) -> Value {
      let output = Value(index: values.count + added.count, width: value.width, axis: value.axis)
      added.append(output)
      steps.append(
        Step(
          scope: scope, operation: Dropout(probability: probability, index: index, clock: clock), inputs: [value],
          outputs: [output]))
      index += 1
      return output
    }
    let embedded = self.steps.lastIndex { $0.role == .embedding }
    var replaced: [Value: Value] = [:]
    var results: [Value: Value] = [:]
    for (index, step) in self.steps.enumerated() {
      var inputs = step.inputs.map { replaced[$0] ?? $0 }
      // A sublayer's result is dropped once, wherever it is read on its way into the stream.
      if let result = step.result {
        let value = inputs[result]
        let dropped = results[value] ?? drop(value, scope: step.scope)
        results[value] = dropped
        inputs[result] = dropped
      }
      steps.append(step.with(inputs: inputs))
      if index == embedded, let stream = step.outputs.first { replaced[stream] = drop(stream, scope: "embed") }
    }
    return rewritten(steps: steps, adding: added)
  }
}

extension Double {
  fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
    min(max(self, range.lowerBound), range.upperBound)
  }
}
