import Components

/// The bindings of a section, written out: groups of bindings under prefixes, and bindings that are like others.
///
/// ```yaml
/// position:                                  # position.theta, position.scaling.type …
///   under: [rope_scaling, rope_parameters]   # paths below begin with one of these; the first that is there counts
///   whole: true                              # of groups: keys of the first that has any, and of no other
///   write: rope_parameters                   # which of them is written when a model is saved
///   each: {theta: {from: [rope_theta, /rope_theta], default: 10000}, scaling.factor: factor}    # '/': no prefix
/// layers.variants.local.position: {like: position, under: [rope_parameters.sliding_attention]}
/// position.scaling.factor: null              # one of a group is left out, or written as any other
/// ```
struct BindingSection {
  struct Entry {
    let path: String
    let setting: Setting
    let place: Place?
    /// Where the paths of its expression lie.
    var under: [String] = []
    var written: String?
    var isWhole = false

    /// The expression, of paths that lie where this says.
    func expression() throws(Problem) -> BindingExpression {
      let expression = try BindingExpression(setting)
      if under.isEmpty { return expression }
      guard isWhole, under.count > 1 else { return expression.under(under, written: written) }
      return .grouped(
        under,
        under.map { expression.under([$0], written: $0 == under[under.count - 1] ? written : nil) })
    }
  }

  private(set) var entries: [Entry] = []

  init(_ section: [Setting.Entry], problems: inout Problems) {
    let settings = Dictionary(section.map { ($0.key, $0.value) }) { first, _ in first }
    var groups: [Entry] = []
    for entry in section {
      let place = entry.place ?? entry.value.place
      // A null leaves out what a group or a file below has.
      if entry.value.isNull { continue }
      guard let setting = Self.following(entry.value, settings, at: place, problems: &problems) else { continue }
      guard let each = setting["each"] else {
        entries.append(Entry(path: entry.key, setting: setting, place: place))
        continue
      }
      guard let members = each.entries, let under = Self.texts(setting["under"]) else {
        problems.add(
          Problem("a group of bindings has 'each', a group of keys, and 'under', a list of paths", at: place))
        continue
      }
      for other in setting.entries ?? [] where !["each", "under", "write", "whole"].contains(other.key) {
        problems.add(
          Problem(
            "a group of bindings has no key '\(other.key)'", at: other.place,
            hint: "it has each, under, whole and write"))
      }
      groups += members.filter { !$0.value.isNull }.map { member in
        Entry(
          path: "\(entry.key).\(member.key)", setting: member.value, place: place, under: under,
          written: setting["write"]?.text, isWhole: setting["whole"]?.text == "true")
      }
    }
    for var member in groups {
      // What is written for the member alone counts; without a source of its own it changes the group's.
      if let own = settings[member.path] {
        let keys = own.entries?.map(\.key) ?? BindingExpression.sources
        if own.isNull || keys.contains(where: BindingExpression.sources.contains) || keys.contains("like") { continue }
        var merged =
          member.setting.entries == nil ? Setting(.group([Setting.Entry("from", member.setting)])) : member.setting
        for entry in own.entries ?? [] { merged[entry.key] = entry.value }
        entries.removeAll { $0.path == member.path }
        member = Entry(
          path: member.path, setting: merged, place: own.place, under: member.under, written: member.written,
          isWhole: member.isWhole)
      }
      entries.append(member)
    }
  }

  /// `setting`, or where it is `like` another, that one with what else `setting` says.
  private static func following(
    _ setting: Setting, _ settings: [String: Setting], at place: Place?, problems: inout Problems, depth: Int = 0
  ) -> Setting? {
    guard let name = setting["like"] else { return setting }
    guard let text = name.text, let other = settings[text], depth < 8,
      let base = following(other, settings, at: place, problems: &problems, depth: depth + 1)
    else {
      problems.add(
        Problem(
          "no binding '\(name.text?.prefix(60) ?? "")' to be like", at: name.place ?? place,
          hint: name.text.flatMap { nearestName(to: $0, in: settings.keys.sorted()) }.map { "did you mean '\($0)'?" }))
      return nil
    }
    var result = base.entries == nil ? Setting(.group([Setting.Entry("from", base)])) : base
    // Where it is read elsewhere, it is written elsewhere.
    if setting["under"] != nil { result["write"] = nil }
    for entry in setting.entries ?? [] where entry.key != "like" { result[entry.key] = entry.value }
    return result
  }

  private static func texts(_ setting: Setting?) -> [String]? {
    guard let setting else { return nil }
    let items = setting.list ?? [setting]
    let texts = items.compactMap(\.text)
    return texts.count == items.count ? texts : nil
  }
}

extension BindingExpression {
  /// The same expression of paths that lie under one of `prefixes`; a path that begins with '/' lies where it says.
  func under(_ prefixes: [String], written: String?) -> BindingExpression {
    func all(_ path: String) -> [String] {
      path.hasPrefix("/") ? [String(path.dropFirst())] : prefixes.map { "\($0).\(path)" }
    }
    func one(_ path: String) -> String { all(path)[0] }
    switch self {
    case .path(let paths):
      // All spellings under one prefix come before those under the next.
      let own = prefixes.flatMap { prefix in paths.filter { !$0.hasPrefix("/") }.map { "\(prefix).\($0)" } }
      let result = own + paths.filter { $0.hasPrefix("/") }.map { String($0.dropFirst()) }
      guard let written, let first = paths.first(where: { !$0.hasPrefix("/") }) else { return .path(result) }
      return .modified(.path(result), Modifiers(written: "\(written).\(first)"))
    case .constant, .tensor, .numbers: return self
    case .first(let inner): return .first(inner.map { $0.under(prefixes, written: written) })
    case .list(let inner): return .list(inner.map { $0.under(prefixes, written: written) })
    case .arithmetic(let operation, let inner):
      return .arithmetic(operation, inner.map { $0.under(prefixes, written: written) })
    case .count(let path): return .count(one(path))
    case .unroll(let path): return .unroll(one(path))
    case .letters(let path): return .letters(one(path))
    case .same(let paths): return .same(paths.flatMap(all))
    case .period(let period, let offset, let inside, let outside):
      return .period(
        period.under(prefixes, written: written), offset: offset.under(prefixes, written: written), inside: inside,
        outside: outside)
    case .listed(let path, let first, let inside, let outside, let layers):
      return .listed(
        one(path), first: first, inside: inside, outside: outside, layers: layers.under(prefixes, written: written))
    case .stored(let kinds, let outside, let layers):
      return .stored(kinds, outside: outside, layers: layers.under(prefixes, written: written))
    case .places(let path, let inside): return .places(one(path), inside: inside)
    case .numbered(let path, let item, let layers):
      return .numbered(one(path), item: item, layers: layers.under(prefixes, written: written))
    case .runs(let runs): return .runs(runs.map { ($0.name, $0.count.under(prefixes, written: written)) })
    case .join(let patterns, let layers):
      return .join(
        patterns.map { $0.under(prefixes, written: written) }, layers: layers.under(prefixes, written: written))
    case .grouped(let groups, let inner):
      return .grouped(groups, inner.map { $0.under(prefixes, written: written) })
    case .modified(let inner, var modifiers):
      modifiers.conditions = modifiers.conditions.map { Condition(paths: $0.paths.flatMap(all), values: $0.values) }
      guard case .path = inner else { return .modified(inner.under(prefixes, written: written), modifiers) }
      // The path stays the modifiers' own, for a null is read by them.
      if case .modified(let path, let more) = inner.under(prefixes, written: written) {
        modifiers.written = modifiers.written ?? more.written
        return .modified(path, modifiers)
      }
      return .modified(inner.under(prefixes, written: nil), modifiers)
    }
  }
}
