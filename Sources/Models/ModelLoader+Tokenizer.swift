import Components
import Composition
import Essentials
import Files
import Specification
import Tokenization

extension ModelLoader {
  /// Checks what the spec of `described` says of its tokenizer and its chat format, which nothing reads before a text is
  /// there; throws every problem.
  public func checkText(of described: ModelDescription) throws(Problems) {
    let architecture = described.architecture
    var problems = Problems()
    if let setting = architecture.tokenizer {
      do {
        if let problem = try tokenizerProblem(setting, described) { problems.add(problem) }
      } catch let found as Problems {
        for problem in found.list { problems.add(problem) }
      } catch {
        problems.add(Problem("the tokenizer cannot be read: \(error)", at: setting.place))
      }
    }
    do { _ = try Tokenizer.ofBytes().prepared(by: architecture.texts) } catch let found as Problems {
      for problem in found.list { problems.add(problem) }
    } catch {
      problems.add(Problem("how texts are prepared cannot be read: \(error)", at: architecture.texts?.place))
    }
    do { _ = try architecture.chat.map { try ChatTemplate($0) } } catch let found as Problems {
      for problem in found.list { problems.add(problem) }
    } catch {
      problems.add(Problem("the chat format cannot be read: \(error)", at: architecture.chat?.place))
    }
    try problems.check()
  }

  /// What is wrong with `setting`, the key `tokenizer`: a name that no model of the zoo has, or a file that is not there.
  private func tokenizerProblem(_ setting: Setting, _ described: ModelDescription) throws -> Problem? {
    if setting.entries != nil {
      if try tokenizer(of: described) != nil { return nil }
      // A model of the zoo has its file beside its weights, wherever those are.
      guard case .specification(let path) = described.source, !catalog.contains(path) else { return nil }
      return Problem(
        "there is no tokenizer's file '\(setting["file"]?.text ?? "")' beside the spec", at: setting["file"]?.place,
        hint: "with --weights it is looked for beside the weights")
    }
    guard let name = setting.text, let place = setting.place, !catalog.contains(place.source) else { return nil }
    let names = tokenizerNames()
    if names.contains(name) { return nil }
    let near = nearestName(to: name, in: names.sorted()).map { "did you mean '\($0)'?" }
    return Problem(
      "no tokenizer is named '\(name)'", at: place,
      hint: near ?? "it is the name of one that a model of the zoo has, {file: …}, {characters: …} or {bytes: true}")
  }

  /// The names of tokenizers that files of the zoo say.
  private func tokenizerNames() -> Set<String> {
    var names: Set<String> = []
    for path in catalog.familyFiles().map(\.path) + catalog.models().map(\.path) {
      guard let text = try? String(contentsOfFile: path, encoding: .utf8), text.contains("tokenizer:"),
        let tree = try? YAMLReader(source: path).read(text), let name = tree["tokenizer"]?.text
      else { continue }
      names.insert(name)
    }
    return names
  }
}
