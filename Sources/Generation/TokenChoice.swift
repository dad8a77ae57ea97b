import Grammars

/// How the next token of a text is chosen: by a sampler, among what a grammar allows.
struct TokenChoice {
  private let settings: TextGenerator.Settings
  /// Tokens that end the text.
  let endOfText: Set<Int>
  private var sampler: Sampler
  /// The tokens of the text: the prompt's, and those that were chosen and accepted.
  private(set) var history: [Int]
  private let promptCount: Int
  /// Where the grammar is; nil where anything may follow.
  let matcher: GrammarMatcher?
  /// Nothing may come but the end, and no token says so.
  private(set) var hasNothingLeft = false
  /// Logits of which only those remain that the grammar allows.
  private var allowed: [Float] = []

  /// The choice of what follows `prompt`. Throws `GrammarProblem`.
  init(after prompt: [Int], _ settings: TextGenerator.Settings, endOfText: Set<Int>) throws {
    self.settings = settings
    self.endOfText = endOfText
    sampler = Sampler(settings.sampling)
    history = prompt
    promptCount = prompt.count
    matcher = try settings.grammar?.matcher(atStart: settings.beginsText)
  }

  /// The choice of one who proposes what may follow `other`, by the same rules and with a sampler of its own.
  init(rehearsing other: TokenChoice, drawing sampler: Sampler) {
    settings = other.settings
    endOfText = other.endOfText
    self.sampler = sampler
    history = other.history
    promptCount = other.promptCount
    matcher = other.matcher?.copy()
  }

  /// Whether what was generated may end here.
  var mayEnd: Bool { matcher?.mayEnd ?? true }

  /// How many tokens the text has in the end, at most.
  var longest: Int {
    let (sum, overflow) = promptCount.addingReportingOverflow(max(0, settings.maximumTokens))
    return overflow ? Int.max : sum
  }

  /// The tokens of a text that is read beside this one.
  var source: [Int] {
    settings.beside.values.lazy.compactMap { if case .tokens(let ids) = $0 { ids } else { nil } }.first ?? []
  }

  /// How tokens are drawn.
  var sampling: Sampler.Settings { settings.sampling }

  /// Whether `token` ends the text.
  func isEnd(_ token: Int) -> Bool { !settings.ignoresEnd && endOfText.contains(token) }

  /// The next token: the sampler's choice among those that the grammar allows, or what was `proposed` as often as it should
  /// be. Nil where there is nothing to choose from.
  mutating func next(from logits: UnsafeBufferPointer<Float>, proposed: TokenProposal? = nil) throws -> Int? {
    guard let matcher else {
      if settings.suppressed.isEmpty { return draw(logits, proposed) }
      return masked(TokenMask(count: logits.count, without: settings.suppressed), logits) { $0.draw($1, proposed) }
    }
    // The likeliest token is mostly allowed, and to ask for it is quicker than a mask. Nothing is drawn for it.
    if settings.sampling.isGreedy, let likeliest = sampler.next(logits, after: history, prompt: promptCount),
      !settings.suppressed.contains(likeliest),
      endOfText.contains(likeliest) ? matcher.mayEnd && !settings.ignoresEnd : try matcher.allows(likeliest)
    {
      return likeliest
    }
    guard let mask = try mask() else {
      hasNothingLeft = true
      return 0
    }
    guard let choice = masked(mask, logits, { $0.draw($1, proposed) }) else { throw GrammarProblem.forbidden }
    return choice
  }

  /// A token to propose, with how likely each was to be proposed; nil where there is none.
  mutating func proposal(from logits: UnsafeBufferPointer<Float>) throws -> TokenProposal? {
    if settings.sampling.isGreedy {
      let token = try next(from: logits)
      return hasNothingLeft ? nil : token.map { TokenProposal($0) }
    }
    if matcher == nil, settings.suppressed.isEmpty { return propose(logits) }
    guard let mask = try mask(count: logits.count) else { return nil }
    return masked(mask, logits) { $0.propose($1) }
  }

  /// Whether `token` may follow.
  func allows(_ token: Int) throws -> Bool {
    if settings.suppressed.contains(token) { return false }
    guard let matcher else { return true }
    return endOfText.contains(token) ? matcher.mayEnd && !settings.ignoresEnd : try matcher.allows(token)
  }

  /// Takes `token` as the text's next.
  mutating func accept(_ token: Int) throws {
    _ = try matcher?.accept(token)
    history.append(token)
  }

  /// What the grammar allows, and where the text may end, what ends it; nil where that is nothing.
  private func mask(count: Int = 0) throws -> TokenMask? {
    guard let matcher else { return TokenMask(count: count, without: settings.suppressed) }
    var mask = try matcher.mask()
    let mayEnd = matcher.mayEnd && !settings.ignoresEnd
    for end in endOfText { mask[end] = mayEnd }
    for token in settings.suppressed { mask[token] = false }
    return mask.isEmpty ? nil : mask
  }

  private mutating func draw(_ logits: UnsafeBufferPointer<Float>, _ proposed: TokenProposal?) -> Int? {
    guard let proposed else { return sampler.next(logits, after: history, prompt: promptCount) }
    return sampler.next(logits, after: history, prompt: promptCount, proposed: proposed)
  }

  private mutating func propose(_ logits: UnsafeBufferPointer<Float>) -> TokenProposal? {
    sampler.proposal(logits, after: history, prompt: promptCount)
  }

  /// What `choose` makes of the logits of the tokens of `mask`, those of others being −∞.
  private mutating func masked<Choice>(
    _ mask: TokenMask, _ logits: UnsafeBufferPointer<Float>,
    _ choose: (inout TokenChoice, UnsafeBufferPointer<Float>) -> Choice?
  ) -> Choice? {
    // Taken out, so that `self` may change meanwhile; its memory comes back.
    var own = allowed
    allowed = []
    own.removeAll(keepingCapacity: true)
    own.append(contentsOf: logits)
    own.withUnsafeMutableBufferPointer { mask.apply(to: $0) }
    defer { allowed = own }
    return own.withUnsafeBufferPointer { choose(&self, $0) }
  }

  /// The sampler as it is now, for one who goes on drawing.
  var drawing: Sampler { sampler }
}
