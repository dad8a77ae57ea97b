/// Cuts text into the words that merging never crosses, by one stage after the other.
final class Splitter: Sendable {
  let stages: [SplitStage]
  private let views: FrozenArray<StageView>

  /// Without stages the whole text is one word.
  init(_ stages: [SplitStage]) {
    self.stages = stages
    let none = SplitPattern([])
    views = FrozenArray(stages.map { StageView($0, none: none) })
    self.none = none
  }

  // Keeps the tables alive that stages over bytes point to.
  private let none: SplitPattern

  /// The words of `text`, from its first byte on. The cursor's state lies in `memory`, [`stateCount`].
  func cursor(over text: UnsafePointer<UInt8>, count: Int, state: UnsafeMutablePointer<Int>) -> SplitCursor {
    SplitCursor(views: views.base, stageCount: stages.count, text: text, count: count, state: state)
  }

  /// The number of words of memory that a cursor needs.
  var stateCount: Int { stages.count * SplitCursor.stateOfStage + 1 }
}

/// A `SplitStage` in plain memory; valid while the splitter lives.
///
/// Sendable although it holds pointers: they lead to memory that is only read.
struct StageView: @unchecked Sendable {
  let pattern: SplitPattern.View
  let bytes: UnsafePointer<Bool>?
  let behavior: SplitStage.Behavior
  let isInverted: Bool
  /// Whether matches and the stretches between are pieces as they come.
  let isPlain: Bool

  init(_ stage: SplitStage, none: SplitPattern) {
    switch stage.finder {
    case .pattern(let found):
      pattern = found.view
      bytes = nil
    case .bytes(let table):
      pattern = none.view
      bytes = table.base
    }
    behavior = stage.behavior
    isInverted = stage.isInverted
    isPlain = stage.behavior == .isolated
  }
}
