/// Parts of a report that are a table and what it says, the same in every form.
extension StudyReport {
  /// A title, a sentence or two, and a table whose first row is its head.
  public struct Section: Sendable {
    /// The title.
    public let title: String
    /// What the table says.
    public let meaning: String
    /// The table.
    public let table: [[String]]
  }

  /// The ladder, the budgets, the questions, the costs and the engines, so far as the study has them.
  public var sections: [Section] {
    [
      Section(title: "Sizes", meaning: Self.ladderMeaning, table: ladderTable),
      Section(title: "Budgets", meaning: Self.budgetsMeaning, table: budgetsTable),
      Section(title: "Tasks", meaning: Self.benchmarksMeaning, table: benchmarksTable),
      Section(title: "Costs", meaning: Self.costsMeaning, table: costsTable),
      Section(title: "Engines", meaning: enginesMeaning, table: enginesTable),
    ].filter { !$0.table.isEmpty }
  }
}
