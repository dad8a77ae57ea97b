/// Token ids on a command line: `1,2,3`.
enum TokenList {
  /// The ids of `text`, the value of `option`, separated by commas or spaces.
  static func ids(_ text: String, of option: String = "--tokens") throws -> [Int] {
    let parts = text.split { $0 == "," || $0 == " " }
    if parts.isEmpty { throw Failure(.usage, "\(option) takes ids such as 1,2,3") }
    return try parts.map { part in
      guard let id = Int(part), id >= 0 else {
        throw Failure(.usage, "'\(part)' is not a token id; \(option) takes ids such as 1,2,3")
      }
      return id
    }
  }
}
