import Components
import Specification

/// A component with options: what is put into a tiny model and looked at.
public struct ConformanceCase: CustomStringConvertible, Sendable {
  /// The component.
  public let component: ComponentDescription
  /// Its type and options.
  public let setting: Setting

  /// The component with these options.
  public init(_ component: ComponentDescription, _ setting: Setting) {
    self.component = component
    self.setting = setting
  }

  /// `norm: type: rmsnorm; eps: 0.1`.
  public var description: String {
    let text = YAMLWriter().write(setting).split(separator: "\n").joined(separator: "; ")
    return "\(component.slot.rawValue): \(text)"
  }

  /// The tree of the model around it, in the sizes of `shape`.
  func tree(_ shape: ModelSizes) throws -> Setting {
    var tree = shape.applied(to: try TinyModel.surroundings(), leaving: component.slot)
    if goesOn {
      tree[path: "stacks.source.like"] = Setting(text: "text")
      tree[path: "stacks.source.attention.mask"] = Setting(text: "full")
      tree[path: "stacks.second.like"] = Setting(text: "text")
      tree[path: "stacks.second.attention.mask"] = Setting(text: "full")
      tree[path: "cross_attention.num_heads"] = Setting(text: String(shape.heads))
      tree[path: "cross_attention.from"] = Setting(text: "second")
    }
    tree[path: path] = setting
    if component.slot == .crossAttention || component.slot.standing == .stack || compares {
      tree[path: "stacks.source.like"] = Setting(text: "text")
      tree[path: "stacks.source.attention.mask"] = Setting(text: "full")
    }
    if component.slot.standing == .stack {
      tree[path: "cross_attention.num_heads"] = Setting(text: String(shape.heads))
    }
    if component.slot == .norm {
      tree[path: "attention.qk_norm"] = Setting(.group([Setting.Entry("scope", Setting(text: "head"))]))
    }
    return tree
  }
}

extension ConformanceCase {
  /// Whether it is the embedding of a stack that goes on with another's rows.
  private var goesOn: Bool { component.slot == .embedding && setting["from"] != nil }

  /// Whether it is a head that reads another stack beside the text.
  private var compares: Bool { component.slot == .head && setting["from"] != nil }

  /// Where its component stands in the tree.
  private var path: String {
    let slot = component.slot
    if goesOn { return "stacks.second.embedding" }
    return slot.standing == .stack ? "stacks.source.\(slot.rawValue)" : slot.optionPath ?? slot.rawValue
  }
}

extension ConformanceKit {
  /// The component with nothing set, with each of the examples of its doc comment, and with each flag and choice of its
  /// own turned.
  public func cases(of component: ComponentDescription) -> [ConformanceCase] {
    let needsExample = component.options.contains { $0.isRequired && !$0.path.contains(".") }
    var bases = needsExample ? [] : [Setting(.group([]))]
    bases += Self.examples(in: component.documentation)
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
      return ConformanceCase(component, setting)
    }
  }

  /// Whether `option` means anything here: one that stands where it has no effect is refused, and tried by an example.
  private func hasEffect(_ setting: Setting, of component: ComponentDescription, option: String) -> Bool {
    var setting = setting
    setting["type"] = Setting(text: component.name)
    do {
      _ = try trial(of: ConformanceCase(component, setting))
      return true
    } catch let problems as Problems {
      return !problems.list.contains { $0.sentence == "no option here is named '\(option)'" }
    } catch {
      return true
    }
  }

  /// The groups between backquotes after "Examples:", up to the next empty line.
  private static func examples(in documentation: String) -> [Setting] {
    guard let start = documentation.firstRange(of: "Examples:") else { return [] }
    let rest = documentation[start.upperBound...]
    let paragraph = rest[..<(rest.firstRange(of: "\n\n")?.lowerBound ?? rest.endIndex)]
    let parts = paragraph.split(separator: "`", omittingEmptySubsequences: false)
    return parts.enumerated().compactMap { index, text in
      index % 2 == 1 ? try? YAMLReader(source: "example").read(String(text)) : nil
    }
  }
}
