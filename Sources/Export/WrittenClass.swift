import Plans

/// A class of the file: what stands in it, with `⟦n⟧` for the name of class n and `⟪n|name=value⟫` for the arguments that it
/// takes beside the config.
///
/// Parts that differ in settings alone are one class, which is told them.
struct WrittenClass {
  /// What `forward` reads of numbers, in the values of every part that the class is.
  var settings: [[(name: String, value: String)]]
  /// The other statements of `__init__`.
  var constructor: [String]
  /// The arguments of `forward` after `self`, the tensors first.
  var arguments: [String]
  /// The statements of `forward`.
  var forward: [String]
  /// The noun of what it is, and what tells it from others of that noun.
  var noun: String
  var adjectives: [String]
  /// The parts that it is made of.
  var parts: [MadePart]
  /// The words of its scope, and the stack and the layer that it was written from.
  var path: [String]
  var stack: String?
  var layer: Int?
  /// Its scope.
  var scope: TensorName { TensorName(stack: stack, layer: layer, path: path) }
  /// Whether it reads positions, the text's length, the cache.
  var needs: Needs
  /// The parts whose classes the constructor is told, each by its place.
  var kinds: [String] = []
  /// Whether another class stands for it.
  var isLeftOut = false

  /// A part that a class makes: the number of its class, its noun, where it stands, and the text that makes it.
  struct MadePart {
    var number: Int
    var noun: String
    var place: String
    var made: String
  }

  struct Needs: Hashable {
    var positions = false
    var length = false
    var mask = false
    var keyPositions = false
    var padding = false
    var cache = false
    /// Tensors that layers share, by the names of the arguments that they are.
    var tensors: [String] = []
    /// Whether it reads which tokens see each other: so many first ones, those of one picture.
    var prefix = false
    var pictures = false
    /// Whether it reads which text each token belongs to, and the rows that are given; in `Model` and in stacks alone.
    var types = false
    var rows = false

    /// The arguments that they are.
    var words: [String] {
      let all = [
        (positions, "positions"), (length, "length"), (mask, "attention_mask"), (keyPositions, "key_positions"),
        (padding, "padding"), (prefix, "prefix"), (pictures, "pictures"), (cache, "cache"), (mask, "**kwargs"),
      ]
      return tensors + all.filter(\.0).map(\.1)
    }

    /// The same, as a definition has them.
    var arguments: [String] {
      words.map {
        ["positions", "length", "prefix", "pictures", "**kwargs"].contains($0) || tensors.contains($0)
          ? $0 : "\($0)=None"
      }
    }

    mutating func form(_ other: Needs) {
      positions = positions || other.positions
      length = length || other.length
      mask = mask || other.mask
      keyPositions = keyPositions || other.keyPositions
      padding = padding || other.padding
      cache = cache || other.cache
      tensors = Set(tensors).union(other.tensors).sorted()
      types = types || other.types
      prefix = prefix || other.prefix
      pictures = pictures || other.pictures
      rows = rows || other.rows
    }
  }

  /// What two classes that are the same have in common.
  var key: [String] {
    [settings[0].map(\.name).joined(separator: " ")] + constructor + ["-"] + arguments + ["-"] + forward
  }

  /// The settings that its parts do not agree on, which it is told.
  var told: [String] {
    settings[0].map(\.name).filter { name in
      Set(settings.map { own in own.first { $0.name == name }?.value }).count > 1
    }
  }

  /// The statements of `__init__`.
  var statements: [String] {
    let told = told
    return settings[0].map { told.contains($0.name) ? "self.\($0.name) = \($0.name)" : "self.\($0.name) = \($0.value)" }
      + constructor
  }
}
