import Components

extension ConformanceKit {
  /// A doc comment says what a component is in a sentence, gives an equation, and cites a source.
  public func documentationFaults(of component: ComponentDescription) -> [Fault] {
    let text = component.documentation
    var faults: [Fault] = []
    func fault(_ sentence: String) { faults.append(Fault(.documentation, sentence, setting: "")) }
    if text.isEmpty {
      fault("it has no doc comment")
      return faults
    }
    let paragraph = text.split(separator: "\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }
    if paragraph.last?.hasSuffix(".") != true { fault("its doc comment does not begin with a sentence") }
    if !text.contains("\n    ") { fault("its doc comment has no equation, which stands indented by four spaces") }
    if !text.contains("https://"), !text.contains("Source:") {
      fault("its doc comment cites no source: a link, or the word 'Source:'")
    }
    return faults
  }

  /// An option that nobody reads is refused, so that a misspelt one is never taken for what was meant.
  func unknownOptionFaults(of sample: ConformanceCase) -> [Fault] {
    var setting = sample.setting
    setting["no_such_option"] = Setting(text: "1")
    do {
      _ = try trial(of: ConformanceCase(sample.component, setting))
    } catch let problems as Problems {
      if problems.list.contains(where: { $0.sentence == "no option here is named 'no_such_option'" }) { return [] }
    } catch {}
    return [
      Fault(
        .options, "it takes an option that nobody knows, 'no_such_option', without a word", setting: sample.description)
    ]
  }
}
