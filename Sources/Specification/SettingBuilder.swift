import Components

/// Builds the setting that a text's events describe.
struct SettingBuilder {
  /// A setting with what it costs: how many nodes it stands for, and how many levels of lists and groups it has.
  private struct Node {
    var setting: Setting
    var weight: Int
    var height: Int
  }

  /// After this many problems the rest of a text is not worth reading.
  private static let problemLimit = 100

  private let text: SourceText
  private let reader: YAMLReader
  private var anchors: [String: Node] = [:]
  private var openAnchors: Set<String> = []
  private var nodeCount = 0
  private var problems = Problems()
  // Lines inside quoted and block texts, where a tab is part of the text.
  private var textLines: [ClosedRange<Int>] = []

  init(text: SourceText, reader: YAMLReader) {
    self.text = text
    self.reader = reader
  }

  /// The setting of the one document.
  mutating func build() throws(Problems) -> Setting {
    do throws(Problem) {
      guard var events = YAMLEvents(text) else { throw Problem("not enough memory to read YAML", at: nil) }
      let setting = try document(&events)
      noteTabs(upTo: Int.max)
      if problems.isEmpty { return setting }
    } catch {
      // A tab in the indentation is the likelier cause of whatever libyaml stumbled over after it.
      noteTabs(upTo: error.place?.line ?? Int.max)
      if problems.isEmpty || !error.isCausedByTab { problems.add(error) }
    }
    throw problems
  }

  private mutating func document(_ events: inout YAMLEvents) throws(Problem) -> Setting {
    var event = try next(&events)
    if case .other = event.content { event = try next(&events) }
    guard case .documentStart = event.content else {
      throw Problem(
        "nothing is described here", at: reader.place(line: 0, column: 0), hint: "a group of keys is expected")
    }
    event = try next(&events)
    let start = event.start
    let node = try node(event, &events, depth: 1)
    if node.setting.isNull, node.setting.content == .scalar("", quoted: false) {
      throw Problem("nothing is described here", at: place(start), hint: "a group of keys is expected")
    }
    _ = try next(&events)
    event = try next(&events)
    if case .documentStart = event.content {
      throw Problem(
        "a second document begins here, and a file describes one thing", at: place(event.start),
        hint: "put it into its own file")
    }
    return node.setting
  }

  // MARK: Nodes

  private mutating func node(
    _ event: YAMLEvents.Event, _ events: inout YAMLEvents, depth: Int
  ) throws(Problem) -> Node {
    try count(1, at: event)
    if let anchor = event.anchor { openAnchors.insert(anchor) }
    var node: Node
    switch event.content {
    case .scalar(let text, let style): node = Node(setting: scalar(text, style, event), weight: 1, height: 0)
    case .alias(let name): return try alias(name, event, depth: depth)
    case .listStart:
      try checkDepth(depth, event)
      checkTag(event, core: "seq", kind: "a list")
      node = try list(event, &events, depth: depth)
    case .groupStart(let isFlow):
      try checkDepth(depth, event)
      checkTag(event, core: "map", kind: "a group of keys")
      node = try group(event, &events, isFlow: isFlow, depth: depth)
    default: throw Problem("a value is expected here", at: place(event.start))
    }
    if let anchor = event.anchor {
      openAnchors.remove(anchor)
      anchors[anchor] = node
    }
    return node
  }

  private mutating func list(
    _ start: YAMLEvents.Event, _ events: inout YAMLEvents, depth: Int
  ) throws(Problem) -> Node {
    var items: [Setting] = []
    var weight = 1
    var height = 0
    while true {
      let event = try next(&events)
      if case .listEnd = event.content { break }
      let item = try node(event, &events, depth: depth + 1)
      items.append(item.setting)
      weight += item.weight
      height = max(height, item.height)
    }
    return Node(setting: Setting(.list(items), at: place(start.start)), weight: weight, height: height + 1)
  }

  private mutating func group(
    _ start: YAMLEvents.Event, _ events: inout YAMLEvents, isFlow: Bool, depth: Int
  ) throws(Problem) -> Node {
    var entries: [Setting.Entry] = []
    var places: [String: Place] = [:]
    var weight = 1
    var height = 0
    while true {
      let event = try next(&events)
      if case .groupEnd = event.content { break }
      try count(1, at: event)
      let key = try key(event)
      let keyPlace = place(event)
      let valueEvent = try next(&events)
      if isFlow, case .scalar("", .plain) = valueEvent.content, valueEvent.tag == nil {
        try add(
          Problem(
            "the key '\(key)' has no value", at: keyPlace,
            hint: key == "i" || key == "layer"
              ? "the number of a layer or an expert is written '*'" : "'\(key): null' deletes it"))
      }
      let value = try node(valueEvent, &events, depth: depth + 1)
      weight += 1 + value.weight
      height = max(height, value.height)
      if let first = places.updateValue(keyPlace, forKey: key) {
        places[key] = first
        try add(
          Problem(
            "the key '\(key)' is here a second time", at: keyPlace,
            hint: "it is first set at \(first.line):\(first.column); leave one"))
      } else {
        entries.append(Setting.Entry(key, value.setting, at: keyPlace))
      }
    }
    return Node(setting: Setting(.group(entries), at: place(start.start)), weight: weight, height: height + 1)
  }

  private mutating func key(_ event: YAMLEvents.Event) throws(Problem) -> String {
    switch event.content {
    case .scalar("<<", .plain):
      throw Problem(
        "merge keys ('<<') are not part of this language", at: place(event),
        hint: "'extends: NAME' builds on another file")
    case .scalar("", .plain):
      throw Problem("there is no key before this ':'", at: place(event.start))
    case .scalar(let text, let style):
      let key = scalar(text, style, event)
      if let anchor = event.anchor { anchors[anchor] = Node(setting: key, weight: 1, height: 0) }
      return text
    case .alias(let name):
      throw Problem("the alias '*\(name)' stands where a key is expected", at: place(event), hint: "a key is a text")
    case .listStart: throw Problem("a list stands where a key is expected", at: place(event), hint: "a key is a text")
    default: throw Problem("a group stands where a key is expected", at: place(event), hint: "a key is a text")
    }
  }

  private mutating func alias(_ name: String, _ event: YAMLEvents.Event, depth: Int) throws(Problem) -> Node {
    if openAnchors.contains(name) {
      throw Problem("'*\(name)' stands inside '&\(name)', and so would contain itself", at: place(event))
    }
    guard var node = anchors[name] else {
      let near = nearestName(to: name, in: anchors.keys.sorted())
      throw Problem(
        "there is no anchor '&\(name)' before this alias", at: place(event),
        hint: near.map { "did you mean '*\($0)'?" } ?? "quote the text if it begins with '*'")
    }
    // The alias itself is counted already.
    try count(node.weight - 1, at: event)
    try checkDepth(depth + node.height - 1, event)
    node.setting.place = place(event)
    return node
  }

  private mutating func scalar(_ text: String, _ style: YAMLEvents.ScalarStyle, _ event: YAMLEvents.Event) -> Setting {
    if style != .plain, event.end.line > event.start.line {
      textLines.append(event.start.line + 1...event.end.line)
    }
    var quoted = style != .plain
    if let tag = event.tag {
      let core = "tag:yaml.org,2002:"
      let plain = Setting(text: text)
      let fits: Bool
      switch tag {
      case "!", core + "str": (quoted, fits) = (true, true)
      case core + "int": (quoted, fits) = (false, plain.integer != nil)
      case core + "float": (quoted, fits) = (false, plain.number != nil)
      case core + "bool": (quoted, fits) = (false, plain.flag != nil)
      case core + "null": (quoted, fits) = (false, plain.isNull)
      default:
        problems.add(unknownTag(tag, event))
        fits = true
      }
      if !fits {
        problems.add(Problem("'\(text.prefix(40))' is not what its tag '\(written(tag))' says", at: place(event)))
      }
    }
    return Setting(.scalar(text, quoted: quoted), at: place(event))
  }

  // MARK: Checks

  private mutating func checkTag(_ event: YAMLEvents.Event, core: String, kind: String) {
    guard let tag = event.tag, tag != "!", tag != "tag:yaml.org,2002:" + core else { return }
    let isCore = ["str", "int", "float", "bool", "null", "seq", "map"].contains { tag == "tag:yaml.org,2002:" + $0 }
    problems.add(
      isCore
        ? Problem("\(kind) is not what its tag '\(written(tag))' says", at: place(event.start))
        : unknownTag(tag, event))
  }

  private func unknownTag(_ tag: String, _ event: YAMLEvents.Event) -> Problem {
    Problem(
      "the tag '\(written(tag))' means nothing here", at: place(event.start),
      hint: "only !!str, !!int, !!float, !!bool, !!null, !!seq and !!map are known")
  }

  private func written(_ tag: String) -> String {
    let core = "tag:yaml.org,2002:"
    return tag.hasPrefix(core) ? "!!" + tag.dropFirst(core.count) : tag
  }

  private func checkDepth(_ depth: Int, _ event: YAMLEvents.Event) throws(Problem) {
    guard depth > YAMLReader.depthLimit else { return }
    throw Problem(
      "lists and groups stand more than \(YAMLReader.depthLimit) deep in each other", at: place(event.start))
  }

  private mutating func count(_ nodes: Int, at event: YAMLEvents.Event) throws(Problem) {
    nodeCount += nodes
    guard nodeCount > YAMLReader.nodeLimit else { return }
    throw Problem(
      "the text describes more than \(YAMLReader.nodeLimit) values, aliases counted with what they stand for",
      at: place(event.start))
  }

  private mutating func add(_ problem: Problem) throws(Problem) {
    if problems.list.count >= Self.problemLimit { throw problem }
    problems.add(problem)
  }

  private mutating func noteTabs(upTo line: Int) {
    // Both run through the text in order.
    var texts = textLines[...]
    for tab in text.tabIndentedLines {
      while let first = texts.first, first.upperBound < tab.line { texts.removeFirst() }
      if texts.first?.contains(tab.line) ?? false { continue }
      let place = reader.place(line: tab.line, column: tab.column)
      guard place.line <= line, problems.list.count < Self.problemLimit else { break }
      problems.add(Problem("a tab indents this line", at: place, hint: "YAML is indented by spaces"))
    }
  }

  // MARK: Places

  private mutating func next(_ events: inout YAMLEvents) throws(Problem) -> YAMLEvents.Event {
    do {
      return try events.next()
    } catch {
      throw Problem(error, in: text, reader: reader)
    }
  }

  private func place(_ mark: YAMLEvents.Mark) -> Place {
    reader.place(line: mark.line, column: mark.column)
  }

  /// The place of a scalar, as long as the scalar when it stands on one line.
  private func place(_ event: YAMLEvents.Event) -> Place {
    let isOneLine = event.start.line == event.end.line
    return reader.place(
      line: event.start.line, column: event.start.column,
      length: isOneLine ? event.end.column - event.start.column : 1)
  }
}

extension Problem {
  /// Whether the sentence is about a tab, so that naming the tab once is enough.
  fileprivate var isCausedByTab: Bool { sentence.contains("tab") || sentence.contains("cannot begin") }
}
