import Components
import Files

/// Values of one option for every layer, as a configuration lists them: `layers.*.attention.num_heads: heads_per_layer`.
///
/// They become overrides, one for each value that occurs; a null says nothing of its layer. A value that is no list holds
/// for every layer.
struct LayerValues {
  /// What stands before the path of an option that each layer has for itself.
  static let prefix = "layers.*."

  /// The path of the option in a layer.
  let path: Substring
  let values: [JSONValue]
  /// Whether the one value is that of every layer.
  private let isOne: Bool

  /// The option of which `path` is the value in every layer; nil where it is no such path.
  static func option(of path: String) -> Substring? {
    path.hasPrefix(prefix) ? path.dropFirst(prefix.count) : nil
  }

  /// The values `list` of `binding`'s path, for as many layers as it has items.
  init(_ list: JSONValue, at option: Substring) throws(BindingProblem) {
    guard list.object == nil else {
      throw BindingProblem(sentence: "\(list.serialized().prefix(60)) is no list with a value for each layer")
    }
    path = option
    values = list.array ?? [list]
    isOne = list.array == nil
  }

  /// Patches of the layers that say something, of `count` that there are.
  func overrides(layers count: Int, at place: Place?) throws(BindingProblem) -> [Setting] {
    let values = isOne ? Array(repeating: values[0], count: count) : values
    guard values.count >= count else {
      throw BindingProblem(sentence: "there are \(values.count) values for \(count) layers")
    }
    var groups: [(value: JSONValue, layers: [Int])] = []
    for layer in 0..<count where !values[layer].isNull {
      if let index = groups.firstIndex(where: { $0.value.means(values[layer]) }) {
        groups[index].layers.append(layer)
      } else {
        groups.append((values[layer], [layer]))
      }
    }
    return groups.map { group in
      var patch = Setting(.group([]), at: place)
      patch["layers"] = Setting(.list(group.layers.map { Setting(text: String($0)) }))
      patch[path: path] = group.value.setting(at: place)
      return patch
    }
  }

  /// Whether `said`, read from a configuration, says of no layer what `wanted` does not have; where it says nothing at all,
  /// the layers must not differ.
  static func isMet(_ wanted: JSONValue, by said: JSONValue?) -> Bool {
    guard let wanted = wanted.array else { return false }
    guard let said = said?.array, !said.isEmpty else { return wanted.allSatisfy { $0.means(wanted[0]) } }
    return said.count >= wanted.count && zip(said, wanted).allSatisfy { $0.isNull || $0.means($1) }
  }
}
