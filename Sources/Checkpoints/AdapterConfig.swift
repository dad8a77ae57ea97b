import Components
import Files

/// What the `adapter_config.json` of a LoRA adapter says, as PEFT writes it.
///
/// Hu et al., 2021, https://arxiv.org/abs/2106.09685; its keys are those of `LoraConfig` in PEFT 0.21. Every key is read, or
/// must be what changes nothing, or changes no number once an adapter is trained. A key that nobody knows is refused.
struct AdapterConfig {
  /// The model that it was made for, as its maker called it.
  let base: String?
  /// Whether products are divided by the root of the rank: rsLoRA (Kalajdzievski, 2023, https://arxiv.org/abs/2312.03732).
  let dividesByRoot: Bool
  /// Whether rows have learned lengths: DoRA (Liu et al., 2024, https://arxiv.org/abs/2402.09353).
  let hasMagnitudes: Bool
  /// Whether what is saved of one of two tied matrices is meant for both.
  let keepsTies: Bool

  private let rank: Int
  private let alpha: Double
  private let ranks: [(pattern: AdapterPattern, value: Double)]
  private let alphas: [(pattern: AdapterPattern, value: Double)]
  private let targets: Names
  private let excluded: Names
  private let layers: [Int]
  private let layerLists: [AdapterPattern]
  private let saved: [AdapterPattern]

  /// Names of modules: any, those that end so, or those that one expression fits.
  private enum Names {
    case any, none
    case listed([String])
    case pattern(AdapterPattern)

    func contains(_ module: String) -> Bool {
      switch self {
      case .any: true
      case .none: false
      case .listed(let names): names.contains { module == $0 || module.hasSuffix("." + $0) }
      case .pattern(let pattern): pattern.fits(module)
      }
    }
  }

  static let file = "adapter_config.json"

  /// Keys that change no number of a trained adapter: how it was made and begun, and what loads it. `fan_in_fan_out` says
  /// again how the layer stores its matrix.
  private static let neutral: Set<String> = [
    "auto_mapping", "revision", "inference_mode", "task_type", "peft_version", "lora_dropout", "fan_in_fan_out",
    "loftq_config", "megatron_core", "eva_config", "corda_config", "lora_ga_config", "runtime_config",
    "qalora_group_size", "bias", "lora_bias",
  ]
  /// Keys that change numbers in a way that is not read, unless they are null, false or empty.
  private static let refused: Set<String> = [
    "megatron_config", "trainable_token_indices", "velora_config", "alora_invocation_tokens", "use_qalora",
    "monteclora_config", "layer_replication", "target_parameters", "use_bdlora", "arrow_config", "kasa_config",
  ]
  private static let read: Set<String> = [
    "peft_type", "base_model_name_or_path", "r", "lora_alpha", "use_rslora", "use_dora", "rank_pattern",
    "alpha_pattern", "target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "modules_to_save",
    "init_lora_weights", "ensure_weight_tying",
  ]
  /// How the factors began, where the model's own matrices stayed as they were.
  private static let plainBeginnings = ["gaussian", "eva", "orthogonal"]

  /// Reads the file in the folder `path`; keys of `ignored` may be unknown. Throws every problem at once.
  init(in path: String, ignoring ignored: [String]) throws {
    let file = path + "/" + Self.file
    let json = try JSONValue(contentsOf: file, limit: 16 << 20, literals: true)
    guard let object = json.object else {
      throw FileProblem(path: file, sentence: "the file holds \(json.kind); expected an object")
    }
    var problems = Problems()
    func complain(_ key: String, _ expected: String) {
      let found = object[key].map { String($0.serialized().prefix(60)) } ?? "left out"
      problems.add(Problem("\(file): '\(key)' is \(found); expected \(expected)", at: nil))
    }
    let kind = object["peft_type"]?.string ?? "left out"
    guard kind == "LORA" else {
      throw Problems([
        Problem(
          "\(file): 'peft_type' is \(kind.prefix(60)); adapters of the type LORA are read", at: nil,
          hint: "merge it with the program that made it, and save the model")
      ])
    }
    for (key, value) in object where !Self.read.contains(key) && !Self.neutral.contains(key) {
      if Self.refused.contains(key) {
        if Self.changesNothing(value) { continue }
        problems.add(
          Problem(
            "\(file): '\(key)' changes numbers in a way that is not read", at: nil,
            hint: "merge it with PEFT (merge_and_unload), and save the model"))
      } else if !ignored.contains(key) {
        let word = String(key.prefix(60))
        problems.add(
          Problem(
            "\(file): nobody knows the key '\(word)', which may decide numbers", at: nil,
            hint: "if it does not, '--ignore-key \(word)' lets it pass"))
      }
    }
    if let beginning = object["init_lora_weights"], !beginning.isNull, beginning.bool == nil,
      !Self.plainBeginnings.contains(beginning.string ?? "")
    {
      problems.add(
        Problem(
          "\(file): 'init_lora_weights' is \(beginning.serialized().prefix(60)), which changes the model's own matrices too",
          at: nil, hint: "save it with PEFT's path_initial_model_for_weight_conversion, which makes it a plain one"))
    }

    func flag(_ key: String) -> Bool {
      guard let value = object[key], !value.isNull else { return false }
      if value.bool == nil { complain(key, "true or false") }
      return value.bool ?? false
    }
    func patterns(_ key: String, _ item: JSONValue?) -> [AdapterPattern] {
      guard let item, !item.isNull else { return [] }
      let texts = item.string.map { [$0] } ?? item.array?.compactMap(\.string) ?? []
      if texts.count != item.array?.count ?? 1 { complain(key, "a list of names") }
      return texts.compactMap { text in
        do throws(Problem) { return try AdapterPattern(text) } catch {
          problems.add(Problem("\(file): '\(key)': \(error.sentence)", at: nil))
          return nil
        }
      }
    }
    func numbers(_ key: String) -> [(pattern: AdapterPattern, value: Double)] {
      guard let value = object[key], !value.isNull else { return [] }
      guard let members = value.object else {
        complain(key, "an object of numbers")
        return []
      }
      return members.compactMap { name, value in
        guard let number = value.number, let pattern = patterns(key, .string(name)).first else {
          complain(key, "an object of numbers")
          return nil
        }
        return (pattern, number)
      }
    }
    func names(_ key: String, absent: Names) -> Names {
      guard let value = object[key], !value.isNull else { return absent }
      if let text = value.string {
        if text == "all-linear" { return .any }
        return patterns(key, value).first.map { .pattern($0) } ?? .none
      }
      let texts = value.array?.compactMap(\.string)
      if texts == nil || texts?.count != value.array?.count { complain(key, "names of modules") }
      return .listed(texts ?? [])
    }
    base = object["base_model_name_or_path"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    dividesByRoot = flag("use_rslora")
    hasMagnitudes = flag("use_dora")
    keepsTies = flag("ensure_weight_tying")
    rank = object["r"]?.integer ?? 0
    if !(1...1 << 20).contains(rank) { complain("r", "a rank of at least 1") }
    alpha = object["lora_alpha"]?.number ?? .nan
    if !alpha.isFinite { complain("lora_alpha", "a number") }
    ranks = numbers("rank_pattern")
    alphas = numbers("alpha_pattern")
    targets = names("target_modules", absent: .none)
    excluded = names("exclude_modules", absent: .none)
    saved = patterns("modules_to_save", object["modules_to_save"])
    layerLists = patterns("layers_pattern", object["layers_pattern"])
    let chosen = object["layers_to_transform"] ?? .null
    layers = chosen.integer.map { [$0] } ?? chosen.array?.compactMap(\.integer) ?? []
    if !chosen.isNull, layers.count != chosen.array?.count ?? 1 { complain("layers_to_transform", "numbers of layers") }
    try problems.check()
  }

  private static func changesNothing(_ value: JSONValue) -> Bool {
    switch value {
    case .null, .bool(false): true
    case .array(let items): items.isEmpty
    case .object(let members): members.isEmpty
    default: false
    }
  }

  /// The rank of what is learned of `module`.
  func rank(of module: String) -> Int {
    ranks.first { $0.pattern.fitsEnd(of: module) }.map { Int(rounding: $0.value) } ?? rank
  }

  /// What the product of the two factors of `module` is multiplied by: α / r, or α / √r.
  func scale(of module: String) -> Double {
    let rank = Double(rank(of: module))
    let alpha = alphas.first { $0.pattern.fitsEnd(of: module) }?.value ?? alpha
    return alpha / (dividesByRoot ? rank.squareRoot() : rank)
  }

  /// Whether the configuration says that `module` has factors.
  func adapts(_ module: String) -> Bool {
    guard !excluded.contains(module), !saves(module), targets.contains(module) else { return false }
    guard case .listed(let names) = targets, !names.contains(module), !layers.isEmpty else { return true }
    return layerNumber(in: module).map(layers.contains) ?? false
  }

  /// Whether `module` is, or lies in, one that is saved as a whole.
  func saves(_ module: String) -> Bool {
    let words = module.split(separator: ".", omittingEmptySubsequences: false)
    return saved.contains { pattern in
      words.indices.contains { end in pattern.fitsEnd(of: words[...end].joined(separator: ".")) }
    }
  }

  /// The first number behind a word, or behind a word of `layers_pattern`.
  private func layerNumber(in module: String) -> Int? {
    let words = module.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    for place in words.indices.dropLast() where place > 0 {
      guard let number = Int(words[place]) else { continue }
      let isFirst = layerLists.isEmpty ? place > 1 : layerLists.contains { $0.fits(words[place - 1]) }
      if isFirst { return number }
    }
    return nil
  }
}
