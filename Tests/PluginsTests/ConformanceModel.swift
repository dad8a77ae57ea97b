import Components
import Composition
import Execution
import Foundation
import Kernels
import Specification
import StandardComponents
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
      _ = try ConformanceModel(component.slot, setting)
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

/// A tiny model around one component: 2 layers, 16 wide, 4 heads, 13 tokens, a context of 16.
struct ConformanceModel {
  let plan: Plan
  let parameters: Parameters

  static let tokens = [3, 1, 4, 1, 5, 9, 2, 6, 5, 12]

  init(_ slot: Slot, _ setting: Setting) throws {
    var tree = try YAMLReader(source: "base").read(
      """
      name: tiny
      vocab_size: 13
      context_length: 16
      hidden_size: 16
      layers: {count: 2}
      position: {type: none}
      norm: {type: layernorm}
      attention: {num_heads: 4, num_kv_heads: 2}
      mlp: {intermediate_size: 24, activation: gelu}
      """)
    let path = slot == .activation ? "mlp.activation" : slot.rawValue
    tree[path: path] = setting
    if slot == .norm { tree[path: "attention.qk_norm"] = Setting(.group([Setting.Entry("scope", Setting(text: "head"))])) }
    let folder = FileManager.default.temporaryDirectory.appending(path: "conformance-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "tiny.yaml")
    try YAMLWriter().write(tree).write(to: file, atomically: true, encoding: .utf8)
    let architecture = try SpecificationLoader(catalog: Catalog(folders: [])).load(file.path)
    plan = try Composer(try Registry(standardComponents)).compose(architecture)
    parameters = try Parameters(plan, seed: 7)
    // Nothing may stay at its start: a weight of one or a bias of zero hides a missing term.
    var noise = Noise(seed: 11)
    for (index, tensor) in plan.parameters.enumerated() {
      guard let numbers = parameters.mutable(index) else { continue }
      let strength: Float = tensor.use == .vector ? 0.2 : 0.3
      for i in numbers.indices { numbers[i] += strength * noise.next() }
    }
  }

  /// The logits of all `tokens`, computed in passes of `parts` tokens.
  func logits(_ tokens: [Int], parts: Int, threads: Int = 1) throws -> [Float] {
    let executor = try PlanExecutor(plan, parameters, pool: ThreadPool(threads: threads), maximumRows: 16)
    let sequence = try executor.openSequence(length: ConformanceModel.tokens.count)
    var logits: [Float] = []
    for start in stride(from: 0, to: tokens.count, by: parts) {
      let part = Array(tokens[start..<min(start + parts, tokens.count)])
      try executor.forward([(sequence, part)], logits: .all) { _, _, row in logits += row }
    }
    return logits
  }
}

/// Uniform numbers between −1 and 1, the same every time.
struct Noise {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / Float(1 << 23) - 1
  }
}
