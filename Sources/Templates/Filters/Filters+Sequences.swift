extension Filters {
  /// The filters of sequences; nil for another's name.
  static func sequence(_ name: String, _ value: TemplateValue, _ given: Arguments, _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue?
  {
    let what = "the filter '\(name)'"
    let budget = evaluator.budget
    func items() throws(TemplateFault) -> [TemplateValue] {
      let items = try value.items(budget)
      try budget.spend(items.count)
      return items
    }
    switch name {
    case "length", "count":
      _ = try given.bound(of: what)
      if let text = value.text { try budget.spend(text.utf8.count >> 6) }
      return .int(try value.length())
    case "list":
      _ = try given.bound(of: what)
      return try .list(of: try items())
    case "items":
      _ = try given.bound(of: what)
      if value.isUndefined { return .iterator(try TemplateIterator([])) }
      guard case .mapping(let mapping) = value else {
        throw TemplateFault("\(what) takes a mapping, not '\(value.type)'")
      }
      return .iterator(try TemplateIterator(try mapping.items()))
    case "first":
      _ = try given.bound(of: what)
      if case .iterator(let iterator) = value {
        return iterator.next() ?? .undefined(why: "there is no first item, for there is none")
      }
      return try items().first ?? .undefined(why: "there is no first item, for there is none")
    case "last":
      _ = try given.bound(of: what)
      if case .iterator = value {
        throw TemplateFault("\(what) takes what can be gone through from its end, not '\(value.type)'")
      }
      return try items().last ?? .undefined(why: "there is no last item, for there is none")
    case "reverse":
      _ = try given.bound(of: what)
      if let text = value.text { return value.like(String(text.unicodeScalars.reversed())) }
      return .iterator(try TemplateIterator(try items().reversed()))
    case "join":
      let found = try given.bound(to: "d", "attribute", of: what)
      return try joined(try items(), try evaluator.string(of: found[0] ?? .string("")), found[1], evaluator)
    case "sum":
      let found = try given.bound(to: "attribute", "start", of: what)
      var total = found[1] ?? .int(0)
      for item in try items() {
        total = try evaluator.binary(.add, total, try attribute(found[0], of: item, evaluator))
      }
      return total
    case "dictsort":
      return try sortedMapping(value, try given.bound(to: "case_sensitive", "by", "reverse", of: what), evaluator)
    case "sort":
      let found = try given.bound(to: "reverse", "case_sensitive", "attribute", of: what)
      return try .list(of: try sorted(try items(), found, evaluator))
    case "unique":
      let found = try given.bound(to: "case_sensitive", "attribute", of: what)
      var seen: Set<TemplateMapping.Key> = []
      var kept: [TemplateValue] = []
      for item in try items() {
        let key = try key(of: item, found[1], ignoresCase: found[0]?.truth != true, evaluator)
        if seen.insert(try TemplateMapping.Key(key)).inserted { kept.append(item) }
      }
      return .iterator(try TemplateIterator(kept))
    case "min", "max":
      return try extreme(name, try items(), try given.bound(to: "case_sensitive", "attribute", of: what), evaluator)
    case "batch":
      return try batched(try items(), try given.bound(to: "linecount", "fill_with", required: 1, of: what), evaluator)
    case "slice":
      return try cut(try items(), try given.bound(to: "slices", "fill_with", required: 1, of: what), evaluator)
    case "groupby":
      return try grouped(
        try items(), try given.bound(to: "attribute", "default", "case_sensitive", required: 1, of: what), evaluator)
    default: return nil
    }
  }

  private static func joined(
    _ items: [TemplateValue], _ separator: String, _ attribute: TemplateValue?, _ evaluator: Evaluator
  ) throws(TemplateFault) -> TemplateValue {
    var texts: [String] = []
    for item in items { texts.append(try evaluator.string(of: try self.attribute(attribute, of: item, evaluator))) }
    try evaluator.budget.write(separator.utf8.count, times: texts.count)
    try evaluator.budget.write(texts.reduce(0) { $0 + $1.utf8.count })
    return .string(texts.joined(separator: separator))
  }

  /// The attribute at a path such as `address.city` or `0`; `item` itself where none is named.
  static func attribute(
    _ path: TemplateValue?, of item: TemplateValue, _ evaluator: Evaluator, fallback: TemplateValue? = nil
  ) throws(TemplateFault) -> TemplateValue {
    guard let path else { return item }
    if case .none = path { return item }
    guard let text = path.text else {
      let found = try evaluator.item(path, of: item)
      return found.isUndefined ? fallback ?? found : found
    }
    var value = item
    for part in text.pythonSplit(".") {
      value = try evaluator.item(
        Int(part).map { $0 >= 0 && part.first != "+" ? .int($0) : .string(part) } ?? .string(part), of: value)
      if value.isUndefined, let fallback { value = fallback }
    }
    return value
  }

  private static func key(
    of item: TemplateValue, _ path: TemplateValue?, ignoresCase: Bool, _ evaluator: Evaluator
  ) throws(TemplateFault) -> TemplateValue {
    let value = try attribute(path, of: item, evaluator)
    guard ignoresCase, let text = value.text else { return value }
    return .string(text.pythonLowercased)
  }

  private static func sorted(_ items: [TemplateValue], _ given: [TemplateValue?], _ evaluator: Evaluator)
    throws(TemplateFault) -> [TemplateValue]
  {
    let paths: [TemplateValue?] = given[2]?.text.map { $0.pythonSplit(",").map { .string($0) } } ?? [given[2]]
    var keyed: [(keys: [TemplateValue], item: TemplateValue)] = []
    for item in items {
      var keys: [TemplateValue] = []
      for path in paths { keys.append(try key(of: item, path, ignoresCase: given[1]?.truth != true, evaluator)) }
      keyed.append((keys, item))
    }
    return try ordered(keyed, reverse: given[0]?.truth == true, bare: false, evaluator)
  }

  /// Items by their keys; those of equal keys stay as they stand, also in reverse. `sort` compares lists of keys, which
  /// Python asks for equality first; a `bare` key is compared at once, and one that has no order is a fault.
  private static func ordered(
    _ keyed: [(keys: [TemplateValue], item: TemplateValue)], reverse: Bool, bare: Bool, _ evaluator: Evaluator
  ) throws(TemplateFault) -> [TemplateValue] {
    let budget = evaluator.budget
    let sorted = try stablySorted(keyed) { left, right throws(TemplateFault) in
      for (a, b) in zip(left.keys, right.keys) {
        if !bare, try ValueOrder.areEqual(a, b, budget) { continue }
        let order = try ValueOrder.compare(a, b, budget)
        return reverse ? order == 1 : order < 0
      }
      return false
    }
    return sorted.map(\.item)
  }

  private static func sortedMapping(_ value: TemplateValue, _ given: [TemplateValue?], _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue
  {
    guard case .mapping(let mapping) = value else { throw evaluator.wrong(value, for: "dictsort") }
    let by = try given[1].text(or: "key", of: "the filter 'dictsort'")
    guard by == "key" || by == "value" else { throw TemplateFault("the filter 'dictsort' sorts by 'key' or 'value'") }
    var keyed: [(keys: [TemplateValue], item: TemplateValue)] = []
    for (key, value) in zip(mapping.keys, mapping.values) {
      let sorts = try self.key(of: by == "key" ? key : value, nil, ignoresCase: given[0]?.truth != true, evaluator)
      keyed.append(([sorts], try .tuple(of: [key, value])))
    }
    return try .list(of: try ordered(keyed, reverse: given[2]?.truth == true, bare: true, evaluator))
  }

  private static func extreme(
    _ name: String, _ items: [TemplateValue], _ given: [TemplateValue?], _ evaluator: Evaluator
  )
    throws(TemplateFault) -> TemplateValue
  {
    var best: (key: TemplateValue, item: TemplateValue)?
    for item in items {
      let key = try key(of: item, given[1], ignoresCase: given[0]?.truth != true, evaluator)
      if let found = best {
        let order = try ValueOrder.compare(key, found.key, evaluator.budget)
        if name == "min" ? order < 0 : order == 1 { best = (key, item) }
      } else {
        best = (key, item)
      }
    }
    return best?.item ?? .undefined(why: "nothing is the '\(name)', for there is no item")
  }

  private static func batched(_ items: [TemplateValue], _ given: [TemplateValue?], _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue
  {
    let size = try given[0].integer(or: 1, of: "the filter 'batch'")
    guard size > 0 else { throw TemplateFault("the filter 'batch' takes a size of at least 1") }
    var batches: [[TemplateValue]] = []
    for item in items {
      if let last = batches.last, last.count < size {
        batches[batches.count - 1].append(item)
      } else {
        batches.append([item])
      }
    }
    if let fill = given[1], let last = batches.last, last.count < size {
      if case .none = fill {
      } else {
        try evaluator.budget.spend(size)
        batches[batches.count - 1] += Array(repeating: fill, count: size - last.count)
      }
    }
    var lists: [TemplateValue] = []
    for batch in batches { lists.append(try .list(of: batch)) }
    return .iterator(try TemplateIterator(lists))
  }

  private static func cut(_ items: [TemplateValue], _ given: [TemplateValue?], _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue
  {
    let count = try given[0].integer(or: 1, of: "the filter 'slice'")
    guard count > 0 else { throw TemplateFault("the filter 'slice' makes at least 1 list") }
    try evaluator.budget.spend(count)
    let (each, more) = (items.count / count, items.count % count)
    var lists: [TemplateValue] = []
    var start = 0
    for number in 0..<count {
      let end = start + each + (number < more ? 1 : 0)
      var list = Array(items[start..<end])
      if let fill = given[1], number >= more {
        if case .none = fill {} else { list.append(fill) }
      }
      lists.append(try .list(of: list))
      start = end
    }
    return .iterator(try TemplateIterator(lists))
  }

  private static func grouped(_ items: [TemplateValue], _ given: [TemplateValue?], _ evaluator: Evaluator)
    throws(TemplateFault) -> TemplateValue
  {
    let ignoresCase = given[2]?.truth != true
    var keyed: [(keys: [TemplateValue], item: TemplateValue)] = []
    func plain(_ item: TemplateValue) throws(TemplateFault) -> TemplateValue {
      try attribute(given[0], of: item, evaluator, fallback: given[1])
    }
    func key(_ item: TemplateValue) throws(TemplateFault) -> TemplateValue {
      let value = try plain(item)
      return ignoresCase ? value.text.map { .string($0.pythonLowercased) } ?? value : value
    }
    for item in items { keyed.append(([try key(item)], item)) }
    var groups: [(key: TemplateValue, shown: TemplateValue, items: [TemplateValue])] = []
    for item in try ordered(keyed, reverse: false, bare: true, evaluator) {
      let found = try key(item)
      if let last = groups.last, try ValueOrder.areEqual(last.key, found, evaluator.budget) {
        groups[groups.count - 1].items.append(item)
      } else {
        groups.append((found, try plain(item), [item]))
      }
    }
    var list: [TemplateValue] = []
    for group in groups { list.append(try .tuple(of: [group.shown, try .list(of: group.items)])) }
    return try .list(of: list)
  }
}
