/// Cuts a stream of text before the first of some texts, and holds back what might be the beginning of one.
public struct StopText: Sendable {
  private let stops: [String]
  private var held = ""
  /// The text that ended the stream, once one has.
  public private(set) var found: String?

  /// A stream that ends before any of `stops`.
  public init(_ stops: [String]) {
    self.stops = stops.filter { !$0.isEmpty }
  }

  /// What of `text`, and of what was held back, can be shown.
  public mutating func append(_ text: String) -> String {
    if stops.isEmpty { return text }
    if found != nil { return "" }
    held += text
    let first = stops.compactMap { stop in held.firstRange(of: stop).map { (stop, $0.lowerBound) } }
      .min { $0.1 < $1.1 }
    if let (stop, index) = first {
      found = stop
      defer { held = "" }
      return String(held[..<index])
    }
    var keep = held.endIndex
    for index in held.indices.suffix(stops.map(\.count).max() ?? 0) {
      if stops.contains(where: { $0.hasPrefix(held[index...]) }) {
        keep = index
        break
      }
    }
    defer { held = String(held[keep...]) }
    return String(held[..<keep])
  }

  /// What is held back when the stream ends without any of the texts.
  public mutating func finish() -> String {
    defer { held = "" }
    return held
  }
}
