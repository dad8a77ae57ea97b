import Components

/// Keys and values that layers have in common, and values that are keys.
struct KeySharing {
  enum Values: String, CaseIterable { case own, keys }

  /// What a layer left for others.
  struct Kept: Sendable {
    let k: Value
    let v: Value
    let states: [StateReference]
  }

  /// What layers left, by the names that they gave.
  private struct All: Sendable {
    var named: [String: Kept] = [:]
  }

  let valuesAreKeys: Bool
  let name: String?
  let takes: Bool
  let place: Place?

  init(_ options: Options, isCausal: Bool) {
    valuesAreKeys =
      options.choice("values", default: Values.own, "whether values have a projection, or are the projected keys")
      == .keys
    name =
      isCausal ? options.optionalText("keys_as", "the name under which layers share keys and values") : nil
    takes =
      name != nil
      && options.flag(
        "take_keys", default: false, "whether it reads those that the last layer before left, and has none of its own")
    place = options.place(of: "take_keys")
  }

  var isUsed: Bool { name != nil }

  /// What a layer before left; nil where the layer has keys of its own.
  func taken(width: (k: Int, v: Int), into plan: inout PlanBuilder) -> Kept? {
    guard let name, takes else { return nil }
    guard let kept = plan.left(All.self)?.named[name] else {
      plan.fail("no layer before leaves keys as '\(name)'", at: place)
      return nil
    }
    guard kept.k.width == width.k, kept.v.width == width.v else {
      plan.fail(
        "keys and values of \(kept.k.width) and \(kept.v.width) numbers cannot be read as \(width.k) and \(width.v)",
        at: place)
      return nil
    }
    return kept
  }

  func leave(_ k: Value, _ v: Value, _ states: [StateReference], into plan: inout PlanBuilder) {
    guard let name, !takes else { return }
    var all = plan.left(All.self) ?? All()
    all.named[name] = Kept(k: k, v: v, states: states)
    plan.leave(all)
  }
}
