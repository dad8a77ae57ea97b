import Plans

/// A class of the file: what stands in it, with `⟦n⟧` for the name of class n.
struct WrittenClass {
  /// The statements of `__init__`.
  var constructor: [String]
  /// The arguments of `forward` after `self`, the tensors first.
  var arguments: [String]
  /// The statements of `forward`.
  var forward: [String]
  /// The noun of what it is, and what tells it from others of that noun.
  var noun: String
  var adjectives: [String]
  /// The words of its scope, and the layer that it was written from.
  var path: [String]
  var layer: Int?
  /// Whether it reads positions, the text's length, the cache.
  var needs: Needs

  struct Needs: Hashable {
    var positions = false
    var length = false
    var cache = false

    /// The arguments that they are.
    var words: [String] { (positions ? ["positions"] : []) + (length ? ["length"] : []) + (cache ? ["cache"] : []) }

    mutating func form(_ other: Needs) {
      positions = positions || other.positions
      length = length || other.length
      cache = cache || other.cache
    }
  }

  /// What two classes that are the same have in common.
  var key: [String] { [noun] + constructor + ["-"] + arguments + ["-"] + forward }
}
