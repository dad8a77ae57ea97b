import Files

/// The settings of an image processor, read key by key; what is wrong with one is told with the file and the key.
///
/// A key that stands in the file but is `null` counts as absent: transformers' classes take their own default then.
struct ImageSettings {
  /// What the file is called in messages.
  let name: String
  private let values: JSONObject

  init(_ values: JSONObject, name: String) {
    self.values = values
    self.name = name
  }

  /// The value of `key`; nil where there is none or it is null.
  subscript(key: String) -> JSONValue? {
    guard let value = values[key], !value.isNull else { return nil }
    return value
  }

  func problem(_ key: String, _ expected: String) -> FileProblem {
    let found = self[key].map { "is \($0.serialized())" } ?? "is missing"
    return FileProblem(path: name, sentence: "'\(key)' \(found); expected \(expected)")
  }

  func bool(_ key: String) throws(FileProblem) -> Bool {
    guard let value = self[key] else { return false }
    guard let bool = value.bool else { throw problem(key, "true or false") }
    return bool
  }

  func positive(_ key: String) throws(FileProblem) -> Int {
    guard let value = self[key]?.integer, (1...Self.largest).contains(value) else {
      throw problem(key, "an integer from 1 to \(Self.largest)")
    }
    return value
  }

  func number(_ key: String) throws(FileProblem) -> Double {
    guard let value = self[key]?.number, value.isFinite else { throw problem(key, "a number") }
    return value
  }

  /// One number for each channel; a single number counts for all three.
  func channels(_ key: String) throws(FileProblem) -> [Double] {
    let numbers = self[key]?.array?.compactMap(\.number) ?? self[key]?.number.map { [$0, $0, $0] } ?? []
    guard numbers.count == 3, numbers.count == self[key]?.array?.count ?? 3, numbers.allSatisfy(\.isFinite) else {
      throw problem(key, "a number or three, for red, green and blue")
    }
    return numbers
  }

  func filter(_ key: String) throws(FileProblem) -> ResamplingFilter {
    let filter =
      self[key]?.integer.flatMap(ResamplingFilter.init(rawValue:))
      ?? self[key]?.string.flatMap(ResamplingFilter.init(name:))
    guard let filter else {
      let choices = ResamplingFilter.allCases.map { "\($0.rawValue) (\($0.name))" }
      throw problem(key, "a filter of Pillow: \(choices.joined(separator: ", "))")
    }
    return filter
  }

  /// A size, as an object or as the one number or two numbers that older files write.
  func size(_ key: String, isSquare: Bool = true) throws(FileProblem) -> SizeRule {
    let expected = "a size such as {\"height\": 224, \"width\": 224} or {\"shortest_edge\": 224}"
    guard let value = self[key] else { throw problem(key, expected) }
    func side(_ value: JSONValue?) throws(FileProblem) -> Int {
      guard let side = value?.integer, (1...Self.largest).contains(side) else { throw problem(key, expected) }
      return side
    }
    if let number = value.integer {
      let side = try side(.integer(number))
      return isSquare ? .exactly(PictureSize(width: side, height: side)) : .shortest(side, longest: nil)
    }
    if let pair = value.array, pair.count == 2 {
      return .exactly(PictureSize(width: try side(pair[1]), height: try side(pair[0])))
    }
    guard let object = value.object else { throw problem(key, expected) }
    var sides: [String: Int] = [:]
    for (name, value) in object where !value.isNull { sides[name] = try side(value) }
    let names = Set(sides.keys)
    if names == ["height", "width"], let height = sides["height"], let width = sides["width"] {
      return .exactly(PictureSize(width: width, height: height))
    }
    if names == ["max_height", "max_width"], let height = sides["max_height"], let width = sides["max_width"] {
      return .within(PictureSize(width: width, height: height))
    }
    if names.isSubset(of: ["shortest_edge", "longest_edge"]) {
      if let shortest = sides["shortest_edge"] { return .shortest(shortest, longest: sides["longest_edge"]) }
      if let longest = sides["longest_edge"] { return .longest(longest) }
    }
    throw problem(key, expected)
  }

  /// A height and a width.
  func exactSize(_ key: String) throws(FileProblem) -> PictureSize {
    guard case .exactly(let size) = try size(key) else { throw problem(key, "a height and a width") }
    return size
  }

  /// The side of a square.
  func side(_ key: String) throws(FileProblem) -> Int {
    let size = try exactSize(key)
    guard size.width == size.height else { throw problem(key, "a height and a width that are equal") }
    return size.width
  }

  /// No size, count or area of a picture is larger.
  static let largest = 1 << 30
}

/// What a file's size asks for.
enum SizeRule: Sendable, Equatable {
  case exactly(PictureSize)
  /// The shorter side becomes `shortest`, unless the longer one would exceed `longest`.
  case shortest(Int, longest: Int?)
  case longest(Int)
  /// As large as fits.
  case within(PictureSize)

  /// The size of a picture that is now `size`, as transformers rounds it; nil for `longest`, which classes round in
  /// ways of their own. A side may come out as 0.
  func target(of size: PictureSize) -> PictureSize? {
    let (width, height) = (size.width, size.height)
    switch self {
    case .exactly(let target): return target
    case .longest: return nil
    case .within(let bound):
      let scale = min(Double(bound.height) / Double(height), Double(bound.width) / Double(width))
      return PictureSize(width: Int(Double(width) * scale), height: Int(Double(height) * scale))
    case .shortest(let side, nil):
      let long = scaled(side, max(width, height), min(width, height))
      return width <= height ? PictureSize(width: side, height: long) : PictureSize(width: long, height: side)
    case .shortest(var side, .some(let longest)):
      let (short, long) = (Double(min(width, height)), Double(max(width, height)))
      var exact: Double?
      if long / short * Double(side) > Double(longest) {
        let raw = Double(longest) * short / long
        exact = raw
        side = Int(raw.rounded(.toNearestOrEven))
      }
      if min(width, height) == side { return size }
      func other(_ a: Int, _ b: Int) -> Int {
        exact.map { Int($0 * Double(a) / Double(b)) } ?? scaled(side, a, b)
      }
      return width < height
        ? PictureSize(width: side, height: other(height, width))
        : PictureSize(width: other(width, height), height: side)
    }
  }

  // int(side * a / b), the product exact and the quotient rounded once.
  private func scaled(_ side: Int, _ a: Int, _ b: Int) -> Int { Int(Double(side * a) / Double(b)) }
}
