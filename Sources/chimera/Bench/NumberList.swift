import ArgumentParser

/// Integers on a command line: `1,8`.
struct NumberList: ExpressibleByArgument {
  let numbers: [Int]

  init(_ numbers: [Int]) { self.numbers = numbers }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    numbers = parts.compactMap { $0 }
    if numbers.isEmpty || numbers.count != parts.count { return nil }
  }

  var defaultValueDescription: String { numbers.map(String.init).joined(separator: ",") }

  /// Whether every number lies in `range`.
  func lie(in range: ClosedRange<Int>) -> Bool { numbers.allSatisfy { range.contains($0) } }
}
