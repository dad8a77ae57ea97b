import Components
import Essentials
import Execution
import Kernels

extension ModelTrial {
  /// A later token changes no earlier logits, to the bit, and no earlier loss; and its own it does change.
  func causality() throws -> [String] {
    let tokens = TinyModel.tokens
    let changed = Array(tokens.dropLast()) + [7]
    let before = try model.logits(tokens, parts: tokens.count)
    let after = try model.logits(changed, parts: tokens.count, source: tokens)
    if let wrong = before.firstIndex(where: { !$0.isFinite }) {
      return ["the logits of token \(wrong / width) are not finite" + firstInfinite()]
    }
    if model.plan.seesWholeTexts { return try wholeness(before) }
    let earlier = (tokens.count - 1) * width
    if before[earlier...] == after[earlier...] { return ["a token does not change its own logits"] }
    if let place = (0..<earlier).first(where: { before[$0] != after[$0] }) {
      let walk = try PlanWalk(model)
      let culprit = walk.firstDifference(walk.run([tokens]), walk.run([changed]), rows: 0..<tokens.count - 1)
      return [
        "it looks ahead: token \(tokens.count - 1) changes the logits of token \(place / width)"
          + (culprit.map { "; \($0)" } ?? "")
      ]
    }
    // In training all rows are there at once.
    let executor = try trainer()
    var targets = tokens.map { $0 % width }
    targets[tokens.count - 1] = -1
    let given = [model.beside(tokens)]
    let losses = try [tokens, changed].map { try executor.loss([$0], targets: [targets], beside: given) }
    if losses[0] != losses[1] {
      return ["in training it looks ahead: the last token changes the losses of those before it"]
    }
    return []
  }

  /// Where tokens see those after them, the last one changes some logits before its own, and those of the token beside it.
  private func wholeness(_ before: [Float]) throws -> [String] {
    let tokens = TinyModel.tokens
    let after = try model.logits(tokens.dropLast() + [7], parts: tokens.count)
    let beside = (tokens.count - 2) * width
    if before[beside..<beside + width] == after[beside..<beside + width] {
      return [
        "its tokens are said to see those after them, and the last token does not change the logits of the one before it"
      ]
    }
    return []
  }

  /// Where tokens see those after them, no text is continued: what asks for that is refused, and changes nothing.
  private func continuing() throws -> [String] {
    do {
      _ = try model.logits(TinyModel.tokens, parts: 3)
    } catch ExecutionProblem.continued {
      return []
    }
    return ["its tokens see those after them, and yet a text is continued"]
  }

  /// The first step whose outputs are not finite, in words; empty when none is found.
  private func firstInfinite() -> String {
    guard let walk = try? PlanWalk(model) else { return "" }
    let result = walk.run([TinyModel.tokens])
    for (index, step) in model.plan.steps.enumerated() {
      for output in step.outputs where result.values[output.index].contains(where: { !$0.isFinite }) {
        return "; \(walk.words(index)) is the first to give such"
      }
    }
    return ""
  }

  /// A prompt at once, in parts and token by token give the same logits, and the same bits however many tokens the
  /// sequence is opened for. Where cached rows go by the length that the text had, that holds up to where they do.
  func decoding() throws -> [String] {
    if model.plan.seesWholeTexts { return try continuing() }
    for parts in [TinyModel.tokens.count, 3, 1] {
      let logits = try rooms.map { try model.logits(TinyModel.tokens, parts: parts, room: $0) }
      if let place = logits.indices.first(where: { logits[$0] != logits[0] }) {
        return [
          "a sequence opened for \(rooms[place]) tokens gives other logits than one opened for \(rooms[0]), with \(parts) "
            + "tokens at a time"
        ]
      }
    }
    // Where a longer text is computed again, what was given of its beginning was that of the shorter one.
    let borders = model.plan.recomputationLengths + [model.plan.longestTextInParts ?? Int.max]
    let tokens = Array(TinyModel.tokens.prefix(borders.min() ?? Int.max))
    let whole = try model.logits(tokens, parts: tokens.count)
    for parts in [1, 3] {
      let pieces = try model.logits(tokens, parts: parts)
      guard largestDifference(whole, pieces) >= Self.rounding else { continue }
      let place = zip(whole, pieces).enumerated().first { !(abs($1.0 - $1.1) < Self.rounding) }?.offset ?? 0
      let walk = try PlanWalk(model)
      let culprit = walk.firstDifference(walk.run([tokens]), walk.run(tokens, parts: parts), rows: 0..<tokens.count)
      return [
        "a prompt computed at once and \(parts == 1 ? "token by token" : "\(parts) tokens at a time") differ at token "
          + "\(place / width): \(whole[place]) and \(pieces[place])" + (culprit.map { "; \($0)" } ?? "")
      ]
    }
    return []
  }

  /// How many tokens a sequence of `TinyModel.tokens` is opened for: as many as there are, one more, and many more.
  private var rooms: [Int] {
    let count = TinyModel.tokens.count
    return [count, count + 1, 3 * count].map { min($0, model.plan.longestSequence ?? Int.max) }
  }

  /// Sequences that are computed together give what each gives by itself.
  func batches() throws -> [String] {
    let executor = try PlanExecutor(
      model.plan, model.parameters, pool: ThreadPool(threads: 1),
      maximumRows: model.plan.seesWholeTexts ? rooms.max() ?? 0 : 16, states: .f32, fusing: true, computeType: .stored)
    let inputs = try zip(Self.batch, rooms.reversed()).map { tokens, room in
      (sequence: try executor.openSequence(length: room), tokens: tokens)
    }
    var together = Self.batch.map { _ in [Float]() }
    let given = Self.batch.map(model.beside)
    try executor.forward(inputs, beside: given, logits: .all) { input, _, row in together[input] += row }
    for (index, tokens) in Self.batch.enumerated() {
      let alone = try model.logits(tokens, parts: tokens.count)
      if largestDifference(together[index], alone) >= Self.rounding {
        return [
          "sequence \(index) of a batch has other logits than by itself" + (try mixture(index).map { "; \($0)" } ?? "")
        ]
      }
    }
    let trainer = try trainer()
    var (sum, count) = (0.0, 0)
    for (tokens, targets) in zip(Self.batch, targets) {
      let wanted = targets.count { $0 >= 0 }
      sum += try trainer.loss([tokens], targets: [targets], beside: [model.beside(tokens)]) * Double(wanted)
      count += wanted
    }
    let loss = try trainer.loss(Self.batch, targets: targets, beside: given)
    if abs(loss - sum / Double(count)) >= Double(Self.rounding) {
      let culprit = try Self.batch.indices.lazy.compactMap(mixture).first
      return [
        "in training two sequences of a batch have the loss \(loss), and each by itself \(sum / Double(count))"
          + (culprit.map { "; \($0)" } ?? "")
      ]
    }
    return []
  }

  /// The step in which sequence `index` of the batch meets others, in words.
  private func mixture(_ index: Int) throws -> String? {
    let walk = try PlanWalk(model)
    let start = Self.batch[..<index].reduce(0) { $0 + $1.count }
    let rows = start..<start + Self.batch[index].count
    return walk.firstDifference(
      walk.run(Self.batch).rows(rows), walk.run([Self.batch[index]]), rows: 0..<rows.count, bits: false)
  }

  /// The same bits for the same number of threads, and all but the same for any other.
  func threads() throws -> [String] {
    let tokens = TinyModel.tokens
    let one = try model.logits(tokens, parts: tokens.count)
    let three = try model.logits(tokens, parts: tokens.count, threads: 3)
    let again = try model.logits(tokens, parts: tokens.count, threads: 3)
    if three != again { return ["the same pass gives other bits when it is run again on 3 threads"] }
    if largestDifference(one, three) >= Self.rounding { return ["1 and 3 threads give other logits"] }
    // So small a model is not worth dividing, which is what is to be tried.
    let (alone, divided) = (try PlanWalk(model), try PlanWalk(model, threads: 3))
    let plain = alone.run(Self.batch)
    if let culprit = alone.firstDifference(
      plain, divided.run(Self.batch), rows: 0..<Self.batch.reduce(0) { $0 + $1.count }, bits: false)
    {
      return ["its result follows from how the work is divided over threads; \(culprit)"]
    }
    return alone.divisionFaults(plain, divided)
  }

  /// The loss of training is that of inference's logits.
  func training() throws -> [String] {
    let tokens = TinyModel.tokens
    let logits = try model.logits(tokens, parts: tokens.count)
    let executor = try trainer()
    for shift in 0..<3 {
      let ids = min(width, model.plan.shape.vocabSize)
      let targets = tokens.map { $0 * 5 % ids + shift == 2 ? -1 : ($0 * 5 + shift) % ids }
      let losses = targets.indices.filter { targets[$0] >= 0 }.map { row in
        let scores = logits[row * width..<(row + 1) * width].map(Double.init)
        return log(scores.reduce(0) { $0 + exp($1) }) - scores[targets[row]]
      }
      let expected = losses.reduce(0, +) / Double(losses.count)
      let loss = try executor.loss([tokens], targets: [targets], beside: [model.beside(tokens)])
      if !(abs(loss - expected) < Double(Self.rounding)) {
        return ["training has the loss \(loss) where inference's logits give \(expected)"]
      }
    }
    return []
  }
}
