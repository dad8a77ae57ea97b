extension Evaluator {
  /// `object.name`: a method or property, else a mapping's member; undefined where there is none.
  func attribute(_ name: String, of object: TemplateValue) throws(TemplateFault) -> TemplateValue {
    if case .undefined(let why) = object { throw TemplateFault(why) }
    if name.hasPrefix("__") {
      return .undefined(why: "the attribute '\(name)' is not for templates")
    }
    if let own = try ownAttribute(name, of: object) { return own }
    if case .mapping(let mapping) = object, let value = mapping.value(of: name) { return value }
    return .undefined(why: missing("attribute", name, object))
  }

  /// `object[index]`: an item, else the attribute of that name; undefined where there is none.
  func item(_ index: TemplateValue, of object: TemplateValue) throws(TemplateFault) -> TemplateValue {
    switch object {
    case .undefined(let why): throw TemplateFault(why)
    case .mapping(let mapping):
      // What can be no key is in no mapping.
      if let value = (try? mapping.value(of: index)) ?? nil { return value }
    case .list(let items), .tuple(let items):
      if let index = index.integer, let place = place(index, items.list.count) { return items.list[place] }
    case .range(let range):
      if let index = index.integer, let place = place(index, range.count) { return .int(range[place]) }
    case .string(let text), .markup(let text):
      if let index = index.integer {
        let scalars = text.unicodeScalars
        try budget.spend(1 + text.utf8.count >> 6)
        if let place = place(index, scalars.count) {
          return object.like(String(Character(scalars[scalars.index(scalars.startIndex, offsetBy: place)])))
        }
      }
    default: break
    }
    if let name = index.text, !name.hasPrefix("__"), let own = try ownAttribute(name, of: object) { return own }
    return .undefined(
      why: missing(index.text == nil ? "element" : "attribute", try ValueText.string(of: index, budget), object))
  }

  private func place(_ index: Int, _ count: Int) -> Int? {
    let place = index < 0 ? index + count : index
    return (0..<count).contains(place) ? place : nil
  }

  private func missing(_ what: String, _ name: String, _ object: TemplateValue) -> String {
    "a value of the type '\(object.type)' has no \(what) '\(name.prefix(80))'"
  }

  /// What the type itself has under `name`.
  private func ownAttribute(_ name: String, of object: TemplateValue) throws(TemplateFault) -> TemplateValue? {
    switch object {
    case .string, .markup:
      return Methods.ofStrings.contains(name) ? .method(of: object, name: name) : nil
    case .mapping:
      if Methods.ofMappings.contains(name) { return .method(of: object, name: name) }
      return Methods.changingMappings.contains(name) ? changing(name, object) : nil
    case .list:
      if ["count", "index", "copy"].contains(name) { return .method(of: object, name: name) }
      return Methods.changingLists.contains(name) ? changing(name, object) : nil
    case .tuple, .range: return ["count", "index"].contains(name) ? .method(of: object, name: name) : nil
    case .float: return name == "is_integer" ? .method(of: object, name: name) : nil
    case .namespace(let namespace): return namespace.values.value(of: name)
    case .loop(let loop): return try loop.attribute(name, of: object)
    case .macro(let macro):
      switch name {
      case "name": return .string(macro.name)
      case "arguments": return try .tuple(of: macro.signature.parameters.map { .string(self.name(of: $0)) })
      case "catch_kwargs": return .bool(macro.signature.usesNamed)
      case "catch_varargs": return .bool(macro.signature.usesPositional)
      case "caller": return .bool(macro.signature.usesCaller)
      default: return nil
      }
    case .cycler(let cycler) where !cycler.isJoiner:
      switch name {
      case "current": return cycler.items.list[cycler.place]
      case "next", "reset": return .method(of: object, name: name)
      default: return nil
      }
    case .function(.dict): return name == "fromkeys" ? .method(of: object, name: name) : nil
    default: return nil
    }
  }

  private func changing(_ name: String, _ object: TemplateValue) -> TemplateValue {
    .undefined(why: "'\(name)' would change a value of the type '\(object.type)', which a template cannot")
  }
}

extension LoopState {
  /// What `loop.name` is.
  fileprivate func attribute(_ name: String, of object: TemplateValue) throws(TemplateFault) -> TemplateValue? {
    switch name {
    case "index0": .int(index0)
    case "index": .int(index0 + 1)
    case "revindex0": .int(items.count - index0 - 1)
    case "revindex": .int(items.count - index0)
    case "first": .bool(index0 == 0)
    case "last": .bool(index0 == items.count - 1)
    case "length": .int(items.count)
    case "depth0": .int(depth0)
    case "depth": .int(depth0 + 1)
    case "previtem": index0 > 0 ? items[index0 - 1] : .undefined(why: "there is no previous item")
    case "nextitem": index0 + 1 < items.count ? items[index0 + 1] : .undefined(why: "there is no next item")
    case "cycle", "changed": .method(of: object, name: name)
    default: nil
    }
  }
}
