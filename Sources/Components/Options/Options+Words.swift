extension Options {
  /// The flag under `key`.
  public func flag(_ key: String, default fallback: Bool, _ meaning: String) -> Bool {
    read(key, .flag, default: fallback, text: String(fallback), meaning, written: written) { flag($0, key) }
  }

  /// The flag under `key`, or nil when it is left out.
  public func optionalFlag(_ key: String, _ meaning: String) -> Bool? {
    read(key, .flag, default: nil, meaning, written: { $0.map(written) }) { flag($0, key) }
  }

  /// The flags under `key`: one for all of `parts`, or a group naming some, the others being false.
  public func flags(_ key: String, _ parts: [String], default fallback: Bool, _ meaning: String) -> [String: Bool] {
    let all = { (value: Bool) in Dictionary(uniqueKeysWithValues: parts.map { ($0, value) }) }
    return read(
      key, .flags(parts), default: all(fallback), text: String(fallback), meaning,
      written: { values in
        if Set(values.values).count == 1, let same = values.values.first { return written(same) }
        return Setting(.group(parts.filter { values[$0] == true }.map { Setting.Entry($0, written(true)) }))
      }
    ) { found in
      if let value = found.flag { return all(value) }
      guard let entries = found.entries else {
        wrong(key, found, expected: "true, false or a group of " + list(parts))
        return nil
      }
      var values = all(false)
      for entry in entries where !entry.value.isNull {
        if !parts.contains(entry.key) {
          report("'\(key)' has no part '\(entry.key)'", at: entry.place, hint: "its parts are " + list(parts))
        } else {
          values[entry.key] = flag(entry.value, "\(key).\(entry.key)") ?? false
        }
      }
      return values
    }
  }

  /// The text under `key`, which must be given.
  public func requiredText(_ key: String, _ meaning: String) -> String {
    read(key, .text, default: "", meaning, isRequired: true, written: { Setting(.scalar($0, quoted: true)) }) { found in
      if let text = found.text { return text }
      wrong(key, found, expected: "a text")
      return nil
    }
  }

  /// The text under `key`, or nil when it is left out.
  public func optionalText(_ key: String, _ meaning: String) -> String? {
    read(key, .text, default: nil, meaning, written: { $0.map { Setting(.scalar($0, quoted: true)) } }) { found in
      if let text = found.text { return text }
      wrong(key, found, expected: "a text")
      return nil
    }
  }

  /// The word under `key`, one of the cases of `Word`.
  public func choice<Word>(_ key: String, default fallback: Word, _ meaning: String) -> Word
  where Word: RawRepresentable<String> & CaseIterable {
    let words = Word.allCases.map(\.rawValue)
    return read(
      key, .choice(words), default: fallback, text: fallback.rawValue, meaning,
      written: { Setting(text: $0.rawValue) }
    ) { found in
      if let word = found.text.flatMap(Word.init(rawValue:)) { return word }
      let hint = found.text.flatMap { environment.registry.terms.hint(for: $0, among: words) }
      report("'\(key)' takes \(list(words)), not \(found.kindInWords)", at: found.place ?? place, hint: hint)
      return nil
    }
  }

  /// The word under `key`, one of `words`, or nil when it is left out.
  public func optionalWord(_ key: String, _ words: [String], _ meaning: String) -> String? {
    read(key, .choice(words), default: nil, meaning, written: { $0.map { Setting(text: $0) } }) { found in
      if let word = found.text, words.contains(word) { return word }
      let hint = found.text.flatMap { environment.registry.terms.hint(for: $0, among: words) }
      report("'\(key)' takes \(list(words)), not \(found.kindInWords)", at: found.place ?? place, hint: hint)
      return nil
    }
  }

  private func flag(_ found: Setting, _ key: String) -> Bool? {
    if let value = found.flag { return value }
    wrong(key, found, expected: "true or false")
    return nil
  }

  private func written(_ value: Bool) -> Setting { Setting(text: String(value)) }
}
