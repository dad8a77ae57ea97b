/// The name of a place in a plan: of a learned tensor, of a state, or of the scope that a step stands in.
///
///     layers.3.attn.q.weight        layer 3, path attn · q · weight
///     layers.3.moe.experts.7.up     layer 3, path moe · experts · * · up, numbers 7
///     image.layers.0.mlp.up         stack image, layer 0, path mlp · up
///
/// Where it stands is asked of its parts; its text is for files, listings and people, and is read back only by `init(_:)`.
public struct TensorName: Sendable, Hashable {
  /// The stack of layers it belongs to; nil for that of a model that has only one.
  public let stack: String?
  /// The layer it belongs to, when it belongs to one.
  public let layer: Int?
  /// The words inside the layer, or outside all layers. A `*` stands for a number, such as an expert's.
  public private(set) var path: [String]
  /// The numbers of the first stars of `path`; a star that has none stands for all.
  public private(set) var numbers: [Int]

  /// The place at `path` of a layer, or outside all layers.
  public init(stack: String? = nil, layer: Int? = nil, path: [String] = [], numbers: [Int] = []) {
    self.stack = stack
    self.layer = layer
    self.path = path
    self.numbers = numbers
  }

  /// The place that `words` name inside this one: `q.weight` in `layers.3.attn`. A word that is a number is one of several.
  public func appending(_ words: String) -> TensorName {
    var name = self
    // Most are one word, and cutting texts is slow.
    if let first = words.utf8.first, !(0x30...0x39).contains(first), !words.utf8.contains(UInt8(ascii: ".")) {
      name.path.append(words)
      return name
    }
    for word in words.split(separator: ".") { name.append(word) }
    return name
  }

  private mutating func append(_ word: Substring) {
    if let number = Int(word), String(number) == word, number >= 0 {
      path.append("*")
      numbers.append(number)
    } else {
      path.append(String(word))
    }
  }

  /// The same place among several, with `number` in place of the first star that has none.
  public func member(_ number: Int) -> TensorName {
    TensorName(stack: stack, layer: layer, path: path, numbers: numbers + [number])
  }

  /// Whether it stands for several tensors: a star of it has no number.
  public var isSeveral: Bool { path.lazy.filter { $0 == "*" }.count > numbers.count }

  /// What the tensor belongs to: `attn.q` of `attn.q.weight` and of `attn.q.bias`.
  public var owner: TensorName {
    guard let last = path.last, Self.kinds.contains(last) else { return self }
    return TensorName(stack: stack, layer: layer, path: path.dropLast(), numbers: numbers)
  }

  /// What distinguishes the tensors of one thing.
  public static let kinds: Set<String> = ["weight", "bias"]

  /// Whether it is a bias.
  public var isBias: Bool { path.last == "bias" }

  /// Whether it stands in the same layer, or outside them, as `other` does.
  public func isBeside(_ other: TensorName) -> Bool { stack == other.stack && layer == other.layer }

  /// The text inside the layer, or the whole text outside the layers but for the stack.
  public var localText: String { joined([], numbers[...]) }

  /// The whole name: `layers.3.attn.q.weight`.
  public var text: String { joined(prefix(layer.map(String.init)), numbers[...]) }

  /// The whole name with a `*` for the layer and for every number, as maps of checkpoints write it.
  public var pattern: String { joined(prefix(layer.map { _ in "*" }), []) }

  /// What stands for the stars of `pattern`, as far as it is known: the layer, then the numbers.
  public var patternNumbers: [Int] { (layer.map { [$0] } ?? []) + numbers }

  private static let layers = "layers"

  private func prefix(_ layer: String?) -> [String] {
    (stack.map { [$0] } ?? []) + (layer.map { [Self.layers, $0] } ?? [])
  }

  private func joined(_ prefix: [String], _ numbers: ArraySlice<Int>) -> String {
    var numbers = numbers
    let words = path.map { $0 == "*" ? numbers.popFirst().map(String.init) ?? $0 : $0 }
    return (prefix + words).joined(separator: ".")
  }
}

extension TensorName: CustomStringConvertible, ExpressibleByStringLiteral {
  /// The name that `text` writes, as in a file whose names are canonical. What stands in a stack and in no layer of it has the
  /// stack's name among its words.
  public init(_ text: String) {
    let words = text.isEmpty ? [] : text.split(separator: ".", omittingEmptySubsequences: false)
    guard let place = words.prefix(2).firstIndex(of: Substring(Self.layers)), words.count > place + 1,
      let layer = Int(words[place + 1]), String(layer) == words[place + 1], layer >= 0
    else {
      self.init()
      for word in words { append(word) }
      return
    }
    self.init(stack: place == 1 ? String(words[0]) : nil, layer: layer)
    for word in words.dropFirst(place + 2) { append(word) }
  }

  /// The name that the literal `text` writes.
  public init(stringLiteral text: String) { self.init(text) }

  public var description: String { text }
}
