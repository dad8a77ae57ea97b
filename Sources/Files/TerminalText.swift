extension Unicode.Scalar {
  /// Whether a terminal acts on the character instead of showing it, or shows the text around it in another order: the
  /// control characters, the line and paragraph separators, and the marks that turn the direction of a text.
  ///
  /// `\n` and `\t` are among them; who writes lines lets them pass.
  public var controlsTerminals: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}

extension String {
  /// The text on one line, for a sentence that names come into: a line break among them would begin a line that looks
  /// like a message of its own.
  public var onOneLine: String {
    guard utf8.contains(where: { $0 == 0x0A || $0 == 0x0D }) else { return self }
    return String(String.UnicodeScalarView(unicodeScalars.map { $0 == "\n" || $0 == "\r" ? "\u{FFFD}" : $0 }))
  }

  /// The text as it may be shown on a terminal: `\u{FFFD}` stands for every character that the terminal would act on,
  /// lines and tabs aside. Names and texts of strangers' files are shown so, lest an escape sequence among them hide or
  /// fake what is written, or change the terminal's title and settings.
  public var safeForTerminals: String {
    // Nearly every text is as it should be. 0xC2 begins the bytes of U+0080…U+009F, 0xE2 those of U+2028…U+2069.
    let isSuspect = utf8.contains { byte in
      (byte < 0x20 && byte != 0x0A && byte != 0x09) || byte == 0x7F || byte == 0xC2 || byte == 0xE2
    }
    guard isSuspect else { return self }
    var scalars = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      let isShown = scalar == "\n" || scalar == "\t" || !scalar.controlsTerminals
      scalars.append(isShown ? scalar : "\u{FFFD}")
    }
    return String(scalars)
  }
}
