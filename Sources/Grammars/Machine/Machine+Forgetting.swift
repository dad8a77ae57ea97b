extension Machine {
  /// Forgets everything but `kept`, and gives their new numbers.
  mutating func forget(but kept: Set<Int32>) -> [Int32: Int32] {
    let (oldContexts, oldConfigurations) = (contexts, configurations)
    clear()
    var moved: [Int32: Int32] = [Self.outermost: Self.outermost, Self.unknown: Self.unknown]
    // A context is younger than those that it holds.
    var needed: Set<Int32> = []
    var waiting = kept.flatMap { oldConfigurations[Int($0)].places.map(\.context) }
    while let context = waiting.popLast() {
      if moved[context] != nil || !needed.insert(context).inserted { continue }
      waiting += oldContexts[Int(context)].map(\.context)
    }
    func renumbered(_ places: [Place]) -> [Place] {
      places.map { Place(state: $0.state, count: $0.count, context: moved[$0.context] ?? Self.outermost) }.sorted()
    }
    for context in needed.sorted() { moved[context] = number(of: renumbered(oldContexts[Int(context)])) }
    var result: [Int32: Int32] = [:]
    for old in kept {
      var configuration = oldConfigurations[Int(old)]
      configuration.places = renumbered(configuration.places)
      result[old] = number(of: configuration)
    }
    return result
  }
}
