import Components

/// The layers that an override names: `0`, `-1`, `"6:"`, `"0:24:2"` or a list of such.
///
/// As in Python, negative numbers count from the end and a range stops before its second number. Unlike there, a slice
/// that matches nothing is an error.
enum LayerSlice {
  /// The layers of `count` that `setting` names, ascending, each once.
  static func layers(_ setting: Setting, count: Int) throws(Problem) -> [Int] {
    var named = [Bool](repeating: false, count: count)
    guard let items = setting.list else {
      try mark(setting, &named)
      return named.indices.filter { named[$0] }
    }
    guard !items.isEmpty else { throw Problem("the list of layers is empty", at: setting.place) }
    guard items.count <= ArchitectureKeys.layerLimit else {
      throw Problem("the list of layers has more than \(ArchitectureKeys.layerLimit) items", at: setting.place)
    }
    for item in items { try mark(item, &named) }
    return named.indices.filter { named[$0] }
  }

  private static func mark(_ setting: Setting, _ named: inout [Bool]) throws(Problem) {
    let count = named.count
    let unclear = Problem(
      "\(setting.kindInWords) names no layers", at: setting.place, hint: "write 0, -1, \"6:\", \"0:24:2\" or [0, 3]")
    guard let text = setting.text else { throw unclear }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(\.trimmed)
    if parts.count == 1 {
      guard let layer = Int(parts[0]) else { throw unclear }
      guard (-count..<count).contains(layer) else {
        throw Problem("there is no layer \(layer)", at: setting.place, hint: "the layers are 0 to \(count - 1)")
      }
      named[layer < 0 ? layer + count : layer] = true
      return
    }
    guard parts.count <= 3, parts.allSatisfy({ $0.isEmpty || Int($0) != nil }) else { throw unclear }
    // A step past the last layer is as good as one of `count`, and cannot overflow.
    let step = parts.count == 3 ? min(Int(parts[2]) ?? 1, max(count, 1)) : 1
    guard step >= 1 else {
      throw Problem("the step of '\(text.prefix(40))' is not positive", at: setting.place)
    }
    func bound(_ part: Substring, or fallback: Int) -> Int {
      guard let value = Int(part) else { return fallback }
      // Clamped before it is shifted, so that no number overflows.
      return value < 0 ? max(0, max(value, -count) + count) : min(value, count)
    }
    let start = bound(parts[0], or: 0)
    let end = bound(parts[1], or: count)
    guard start < end else {
      throw Problem(
        "'\(text.prefix(40))' matches no layer", at: setting.place, hint: "the layers are 0 to \(count - 1)")
    }
    for layer in stride(from: start, to: end, by: step) { named[layer] = true }
  }
}
