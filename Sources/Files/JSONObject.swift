/// The members of a JSON object in the order of the file, each key once, found by key in constant time.
///
/// Keys are compared byte by byte, so "é" as one character and as two are different keys, as they are in every JSON
/// file.
public struct JSONObject: Sendable {
  /// The keys in order.
  public private(set) var keys: [String] = []
  /// The values in the order of `keys`.
  public private(set) var values: [JSONValue] = []
  // An open-addressed table of 1 + position in `keys` (0: free), a power of two long; empty while a search is as quick.
  private var table: [UInt32] = []

  private static let searchLimit = 8

  /// An object without members.
  public init() {}

  /// The number of members.
  public var count: Int { keys.count }
  /// Whether there is no member.
  public var isEmpty: Bool { keys.isEmpty }

  /// The place of `key` in `keys`.
  public func position(of key: String) -> Int? {
    if table.isEmpty { return keys.firstIndex { sameBytes($0, key) } }
    let mask = table.count - 1
    var slot = hash(of: key) & mask
    while table[slot] != 0 {
      let position = Int(table[slot]) - 1
      if sameBytes(keys[position], key) { return position }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// The value of `key`; assigning adds or replaces it at its place, assigning nil removes it.
  public subscript(key: String) -> JSONValue? {
    get { position(of: key).map { values[$0] } }
    set {
      if let newValue {
        if let position = position(of: key) { values[position] = newValue } else { append(newValue, for: key) }
      } else if let position = position(of: key) {
        keys.remove(at: position)
        values.remove(at: position)
        rebuild()
      }
    }
  }

  /// Adds a member at the end; false, and nothing is changed, when the key is there already.
  public mutating func insert(_ value: JSONValue, for key: String) -> Bool {
    guard position(of: key) == nil else { return false }
    append(value, for: key)
    return true
  }

  private mutating func append(_ value: JSONValue, for key: String) {
    keys.append(key)
    values.append(value)
    // At most half full, so that a search ends soon.
    if keys.count > Self.searchLimit, keys.count * 2 > table.count {
      rebuild()
    } else if !table.isEmpty {
      place(keys.count - 1)
    }
  }

  private mutating func rebuild() {
    guard keys.count > Self.searchLimit else {
      table = []
      return
    }
    var size = 32
    while size < keys.count * 4 { size *= 2 }
    table = [UInt32](repeating: 0, count: size)
    for position in keys.indices { place(position) }
  }

  private mutating func place(_ position: Int) {
    let mask = table.count - 1
    var slot = hash(of: keys[position]) & mask
    while table[slot] != 0 { slot = (slot + 1) & mask }
    table[slot] = UInt32(position + 1)
  }

  /// Seeded per process by `Hasher`, so that no file can be made to collide.
  private func hash(of key: String) -> Int {
    var key = key
    return key.withUTF8 { bytes in
      var hasher = Hasher()
      hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
      return hasher.finalize()
    }
  }

  private func sameBytes(_ a: String, _ b: String) -> Bool {
    let sameLength = a.utf8.count == b.utf8.count
    return sameLength && a.utf8.elementsEqual(b.utf8)
  }
}

extension JSONObject: Sequence {
  /// The members in order.
  public func makeIterator() -> Zip2Sequence<[String], [JSONValue]>.Iterator {
    zip(keys, values).makeIterator()
  }
}

extension JSONObject: Equatable {
  /// Whether both hold the same members, in whatever order.
  public static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.count == right.count && left.allSatisfy { key, value in right[key] == value }
  }
}
