import Components

/// A model as people draw it: what its steps are, gathered into the boxes, beads and sums of a residual stream.
///
/// It follows from the plan alone, so a variant that nobody has written yet is drawn as truly as a known one.
public struct Diagram: Sendable {
  /// Something on the residual stream or beside it.
  public struct Node: Sendable {
    /// What it is drawn as.
    public enum Kind: Sendable, Hashable {
      /// Several steps under one name: attention, a feed-forward, the embedding.
      case box
      /// One step on a line: a norm, a factor.
      case bead
      /// Where a branch joins a line.
      case sum
    }

    /// What it is drawn as.
    public let kind: Kind
    /// The scope or the tensors' name: `attn`, `mlp_norm`; empty when it has none.
    public let title: String
    /// What it does, a line for each thing.
    public let lines: [Line]
    /// The values it reads, as numbers of the section: 0 is what the section begins with, n what node n − 1 gives.
    public let inputs: [Int]
    /// Numbers learned in it that nothing before it holds.
    public let parameterCount: Int
    /// How its heads share keys, when it attends.
    public let heads: Heads?
    /// Of how many alike it is one drawing, when a token meets some of several.
    public let stack: Stack?
    /// Its parts, where its component names any; value 0 is what the box reads, and the last node gives its result.
    public let inner: Section?
  }

  /// Several of a kind, of which a token meets some.
  public struct Stack: Sendable, Hashable {
    /// How many there are.
    public let count: Int
    /// How many a token meets.
    public let chosen: Int
  }

  /// How the heads of attention share the KV cache.
  public struct Heads: Sendable, Hashable {
    /// Queries of a token.
    public let queries: Int
    /// Keys and values of a token; each serves as many queries.
    public let keys: Int
    /// How many tokens a query sees; nil for all before it.
    public let window: Int?
  }

  /// One thing that a box does: `attend q, k, v` and `12 heads`.
  public struct Line: Sendable, Hashable {
    /// What is done, and to what.
    public var call: String
    /// What it is set to.
    public var detail: String
  }

  /// What stands before the layers, the layers that read alike, or what stands after them.
  public struct Section: Sendable {
    /// The stack that it stands in; nil for the text's.
    public var stack: String?
    /// The layers that are drawn by this section; empty outside them.
    public let layers: [Int]
    /// What is drawn, in an order in which every node stands after those it reads.
    public let nodes: [Node]
    /// Numbers learned in one of the layers, or in the section.
    public let parameterCount: Int
    /// Numbers of tensors that the layers share.
    public var sharedCount = 0
    /// Numbers in a row of what leaves the section.
    public let width: Int
  }

  /// The letter that stands for the distinct layer `number` where several differ.
  public static func letter(_ number: Int) -> Character {
    Character(UnicodeScalar(UInt8(number < 26 ? 65 + number : 97 + min(25, number - 26))))
  }

  /// The sections, in order.
  public let sections: [Section]
  /// How many layers there are.
  public let layerCount: Int

  /// The stacks in the order in which they are drawn; nil is the text's, the last.
  public var stacks: [String?] {
    sections.reduce(into: []) { if !$0.contains($1.stack) { $0.append($1.stack) } }
  }

  /// The drawing of the stack `name` alone; nil for the text's.
  public func stack(_ name: String?) -> Diagram { Diagram(sections.filter { $0.stack == name }) }

  private init(_ sections: [Section]) {
    self.sections = sections
    layerCount = sections.reduce(0) { $0 + $1.layers.count }
  }

  /// The drawing of `plan`.
  public init(_ plan: Plan) {
    var counted: Set<Int> = []
    let sections = PlanSections(plan).sections
    self.sections = sections.enumerated().map { index, section in
      let firstLayers = sections.firstIndex { $0.stack == section.stack && !$0.layers.isEmpty } ?? sections.count
      var drawing = DiagramSection(plan: plan, stack: section.stack, isBeforeLayers: index < firstLayers)
      for step in section.steps { drawing.add(step) }
      counted.formUnion(section.shared)
      return Section(
        stack: section.stack, layers: section.layers, nodes: drawing.finished(counted: &counted),
        parameterCount: section.parameterCount, sharedCount: section.sharedCount, width: drawing.width)
    }
    layerCount = self.sections.reduce(0) { $1.stack == nil ? $0 + $1.layers.count : $0 }
  }
}
