/// Compares values as Python does.
enum ValueOrder {
  /// Whether two values are equal: numbers by value, strings byte by byte, lists item by item.
  static func areEqual(_ left: TemplateValue, _ right: TemplateValue, _ budget: TemplateBudget) throws(TemplateFault)
    -> Bool
  {
    try budget.spend()
    switch (left, right) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)): return try areEqual(a.list, b.list, budget)
    case (.mapping(let a), .mapping(let b)):
      guard a.count == b.count else { return false }
      for (key, value) in zip(a.keys, a.values) {
        guard let other = try b.value(of: key), try areEqual(value, other, budget) else { return false }
      }
      return true
    case (.view(let a, let kind), .view(let b, let other)):
      guard kind == other, kind != .values, a.count == b.count else { return false }
      for (key, value) in zip(a.keys, a.values) {
        guard let found = try b.value(of: key) else { return false }
        if kind == .items, !(try areEqual(value, found, budget)) { return false }
      }
      return true
    case (.range(let a), .range(let b)):
      return a.count == b.count && (a.count == 0 || a.start == b.start && (a.count == 1 || a.step == b.step))
    case (.namespace(let a), .namespace(let b)): return a === b
    case (.macro(let a), .macro(let b)): return a === b
    case (.iterator(let a), .iterator(let b)): return a === b
    case (.loop(let a), .loop(let b)): return a === b
    case (.cycler(let a), .cycler(let b)): return a === b
    case (.function(let a), .function(let b)): return a == b
    default:
      if let a = left.text, let b = right.text {
        try budget.spend(min(a.utf8.count, b.utf8.count) >> 6)
        return a.isSame(as: b)
      }
      if let a = left.integer, let b = right.integer { return a == b }
      if let a = left.number, let b = right.number { return a == b }
      return false
    }
  }

  static func areEqual(_ left: [TemplateValue], _ right: [TemplateValue], _ budget: TemplateBudget)
    throws(TemplateFault) -> Bool
  {
    guard left.count == right.count else { return false }
    for (a, b) in zip(left, right) where !(try areEqual(a, b, budget)) { return false }
    return true
  }

  /// Below 0 when `left` comes first, above when `right` does; throws where Python orders nothing. Beside NaN nothing is
  /// smaller and nothing larger, which is told as 2.
  static func compare(_ left: TemplateValue, _ right: TemplateValue, _ budget: TemplateBudget) throws(TemplateFault)
    -> Int
  {
    try budget.spend()
    if let a = left.text, let b = right.text {
      try budget.spend(min(a.utf8.count, b.utf8.count) >> 6)
      // By code points, whose order UTF-8 keeps.
      if a.isSame(as: b) { return 0 }
      return a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : 1
    }
    if let a = left.integer, let b = right.integer { return a < b ? -1 : a > b ? 1 : 0 }
    if let a = left.number, let b = right.number { return a < b ? -1 : a > b ? 1 : a == b ? 0 : 2 }
    switch (left, right) {
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      for (one, other) in zip(a.list, b.list) where !(try areEqual(one, other, budget)) {
        return try compare(one, other, budget)
      }
      return a.list.count - b.list.count
    default: break
    }
    for case .undefined(let why) in [left, right] { throw TemplateFault(why) }
    throw TemplateFault("values of the types '\(left.type)' and '\(right.type)' have no order")
  }

  /// Whether `value` is in `container`.
  static func contains(_ container: TemplateValue, _ value: TemplateValue, _ budget: TemplateBudget)
    throws(TemplateFault) -> Bool
  {
    switch container {
    case .string(let text), .markup(let text):
      guard let part = value.text else {
        throw TemplateFault("only a string can be in a string, not a value of the type '\(value.type)'")
      }
      try budget.spend(1 + text.utf8.count >> 4)
      return part.isEmpty || text.contains(bytesOf: part)
    case .mapping(let mapping): return try mapping.value(of: value) != nil
    case .view(let mapping, of: .keys): return try mapping.value(of: value) != nil
    case .range(let range):
      guard let number = value.number else { return false }
      guard let whole = Int(exactly: number) else { return false }
      let distance = whole - range.start
      return distance % range.step == 0 && (0..<range.count).contains(distance / range.step)
    case .namespace, .macro, .function, .cycler, .method, .none, .bool, .int, .float:
      throw TemplateFault("nothing can be in a value of the type '\(container.type)'")
    default:
      for item in try container.items(budget) where try areEqual(item, value, budget) { return true }
      return false
    }
  }
}

extension String {
  /// Whether the bytes of `part` stand in it.
  fileprivate func contains(bytesOf part: String) -> Bool {
    let (bytes, part) = (Array(utf8), Array(part.utf8))
    guard part.count <= bytes.count else { return false }
    return (0...(bytes.count - part.count)).contains { at in
      bytes[at] == part[0] && bytes[at..<at + part.count].elementsEqual(part)
    }
  }
}

/// `items` in order; those that are equal stay as they stand. A comparison that throws ends it.
func stablySorted<Item>(
  _ items: [Item], by isBefore: (Item, Item) throws(TemplateFault) -> Bool
) throws(TemplateFault) -> [Item] {
  if items.count < 2 { return items }
  let middle = items.count / 2
  let left = try stablySorted(Array(items[..<middle]), by: isBefore)
  let right = try stablySorted(Array(items[middle...]), by: isBefore)
  var merged: [Item] = []
  merged.reserveCapacity(items.count)
  var (a, b) = (0, 0)
  while a < left.count, b < right.count {
    if try isBefore(right[b], left[a]) {
      merged.append(right[b])
      b += 1
    } else {
      merged.append(left[a])
      a += 1
    }
  }
  return merged + left[a...] + right[b...]
}

extension TemplateValue {
  /// What a loop over the value goes through; throws where it cannot be gone through.
  func items(_ budget: TemplateBudget) throws(TemplateFault) -> [TemplateValue] {
    switch self {
    case .undefined: return []
    case .list(let items), .tuple(let items): return items.list
    case .mapping(let mapping), .view(let mapping, of: .keys): return mapping.keys
    case .view(let mapping, of: .values): return mapping.values
    case .view(let mapping, of: .items):
      try budget.spend(mapping.count)
      return try mapping.items()
    case .string(let text), .markup(let text):
      try budget.write(text.utf8.count, times: 16)
      return text.unicodeScalars.map { .string(String(Character($0))) }
    case .range(let range):
      try budget.spend(range.count)
      return (0..<range.count).map { .int(range[$0]) }
    case .iterator(let iterator): return iterator.rest()
    case .loop: throw TemplateFault("'loop' cannot be gone through")
    case .none, .bool, .int, .float, .namespace, .macro, .function, .cycler, .method:
      throw TemplateFault("a value of the type '\(type)' cannot be gone through")
    }
  }

  /// How many items or characters it has; throws where it has none.
  func length() throws(TemplateFault) -> Int {
    switch self {
    case .undefined: 0
    case .string(let text), .markup(let text): text.unicodeScalars.count
    case .list(let items), .tuple(let items): items.list.count
    case .mapping(let mapping), .view(let mapping, _): mapping.count
    case .range(let range): range.count
    case .loop(let loop): loop.items.count
    default: throw TemplateFault("a value of the type '\(type)' has no length")
    }
  }
}
