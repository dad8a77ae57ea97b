import Components
import Specification
import StandardComponents
import TestSupport
import Testing

/// A component in a tiny model: what the universal tests run.
struct ConformanceCase: CustomTestStringConvertible, Sendable {
  let component: ComponentDescription
  let setting: Setting

  var testDescription: String {
    let text = YAMLWriter().write(setting).split(separator: "\n").joined(separator: "; ")
    return "\(component.slot.rawValue): \(text)"
  }

  /// Every component with nothing set, with each of its examples, and with each flag and choice of its own turned.
  static let all: [ConformanceCase] = {
    guard let registry = try? Registry(standardComponents, documentation: standardComponentDocumentation) else { return [] }
    return registry.describe().flatMap { component in settings(of: component).map { ConformanceCase(component: component, setting: $0) } }
  }()

  private static func settings(of component: ComponentDescription) -> [Setting] {
    let examples = examples(in: component.documentation)
    let needsExample = component.options.contains { $0.isRequired && !$0.path.contains(".") }
    var bases = needsExample ? [] : [Setting(.group([]))]
    bases += examples
    guard let first = bases.first else { return [] }
    for option in component.options where !option.path.contains(".") {
      var words: [String] = []
      if case .choice(let choices) = option.kind { words = choices }
      if case .flag = option.kind { words = ["true", "false"] }
      for word in words where word != option.defaultText {
        var setting = first
        setting[option.path] = Setting(text: word)
        if hasEffect(setting, of: component, option: option.path) { bases.append(setting) }
      }
    }
    return bases.map { base in
      var setting = base
      setting["type"] = Setting(text: component.name)
      return setting
    }
  }

  /// Whether `option` means anything here: one that stands where it has no effect is refused, and tried by an example.
  private static func hasEffect(_ setting: Setting, of component: ComponentDescription, option: String) -> Bool {
    var setting = setting
    setting["type"] = Setting(text: component.name)
    do {
      _ = try TinyModel(component.slot, setting)
      return true
    } catch let problems as Problems {
      return !problems.list.contains { $0.sentence == "no option here is named '\(option)'" }
    } catch {
      return true
    }
  }

  /// The groups between backquotes after "Examples:".
  private static func examples(in documentation: String) -> [Setting] {
    guard let start = documentation.firstRange(of: "Examples:") else { return [] }
    let parts = documentation[start.upperBound...].split(separator: "`", omittingEmptySubsequences: false)
    return parts.enumerated().compactMap { index, text in
      index % 2 == 1 ? try? YAMLReader(source: "example").read(String(text)) : nil
    }
  }
}

extension TinyModel {
  /// A model around the component that `setting` chooses for `slot`.
  init(_ slot: Slot, _ setting: Setting) throws {
    var tree = try YAMLReader(source: "base").read(TinyModel.base)
    tree[path: slot == .activation ? "mlp.activation" : slot.rawValue] = setting
    if slot == .norm { tree[path: "attention.qk_norm"] = Setting(.group([Setting.Entry("scope", Setting(text: "head"))])) }
    try self.init(tree)
  }
}
