import Components
import Files
import Essentials
import Plans
import Training

/// What trains an exported model elsewhere as `chimera train` would here: a program, and the tokens that it reads.
///
/// The same windows in the same order, rates, updates and initial weights give the same losses, but for rounding.
public struct TrainingFiles {
  /// The program.
  public let program: String
  private let training: TokenText
  private let validation: TokenText?

  /// The files for `plan`, whose tensors are called `names`, on `training`; `command` writes them. The tokens are in
  /// `data`, an expression of Python: beside the program, which is in `HERE`.
  ///
  /// Throws `ExportFailure` for what has no form in PyTorch: an objective, an optimizer, a schedule, dropout.
  public init(
    _ plan: Plan, names: [String], _ settings: TrainingSettings, training: TokenText, validation: TokenText?,
    command: String, data: String = "HERE"
  ) throws {
    self.training = training
    self.validation = validation
    guard plan.continuesTexts else {
      throw ExportFailure("train.py trains models that continue texts alone, and '\(plan.name)' is another")
    }
    guard settings.hasUsualObjective else {
      throw ExportFailure("train.py has the usual objective alone; leave --objective out")
    }
    guard settings.dropout == 0 else {
      throw ExportFailure("dropout has no form in train.py; leave it out")
    }
    for (text, what) in [(training, "training"), (validation, "validation")] {
      guard let text else { continue }
      guard text.count > settings.context else {
        throw TrainingProblem.tooFewTokens(found: text.count, needed: settings.context + 1, what: what)
      }
      guard text.count <= Int(Int32.max) else {
        throw ExportFailure("\(text.count) tokens are more than a file of tokens can count; give less data")
      }
    }
    try settings.makeOptimizer().checkRules(of: plan)
    let rates = try settings.learningRate()
    guard let schedule = rates.schedule.pytorch("t") else {
      throw ExportFailure(
        "the schedule '\(type(of: rates.schedule).name)' has no form in PyTorch: its 'func pytorch(_ t: PyTorchExpression)' says nothing"
      )
    }
    let numbers: [(String, String)] = [
      ("STEPS", String(settings.steps)), ("BATCH", String(settings.batch)), ("CONTEXT", String(settings.context)),
      ("ACCUMULATE", String(settings.accumulate)), ("TOKENS_PER_STEP", "BATCH * CONTEXT * ACCUMULATE"),
      ("PEAK", "\(rates.peak)"), ("WARMUP", String(rates.warmup)), ("CLIP", "\(settings.clip)"),
      ("SEED", String(settings.seed)), ("VALIDATE_EVERY", String(settings.validateEvery)),
      ("VALIDATION_BATCHES", String(settings.validationBatches)), ("SAVE_EVERY", String(settings.saveEvery)),
      ("KEEP", String(settings.keep)), ("BF16", settings.options.precision == .bf16 ? "True" : "False"),
    ]
    let optimizer = try settings.makeOptimizer()
    program = String(decoding: PackageResources.train_py, as: UTF8.self)
      .replacing("COMMAND", with: command)
      .replacing("DATA = HERE", with: "DATA = \(data)")
      .replacing("# SETTINGS", with: numbers.map { "\($0.0) = \($0.1)" }.joined(separator: "\n"))
      .replacing(
        "# OPTIMIZERS", with: try Self.optimizers(plan, names, optimizer, isF32: settings.options.precision == .f32)
      )
      .replacing("(SCHEDULE)", with: schedule.binding >= .power ? schedule.text : "(\(schedule.text))")
  }

  private static func optimizers(_ plan: Plan, _ names: [String], _ optimizer: any Optimizer, isF32: Bool) throws
    -> String
  {
    var order: [PyTorchUpdate] = []
    var members: [PyTorchUpdate: [String]] = [:]
    for (tensor, name) in zip(plan.parameters, names) {
      guard let update = optimizer.pytorch(tensor)?.at(tensor.update.rate) else {
        throw ExportFailure(
          "the optimizer '\(type(of: optimizer).name)' has no form in PyTorch for '\(name)': its 'func pytorch(_ tensor: PlannedTensor)' says nothing"
        )
      }
      if members[update] == nil { order.append(update) }
      members[update, default: []].append(name)
    }
    var definitions: [String] = []
    for text in order.compactMap(\.definition) where !definitions.contains(text) { definitions.append(text) }
    var lines = ["def optimizers(named):", "    \"\"\"What moves each tensor.\"\"\""]
    // The group of most tensors is the rest; the others are told by the ends of their names.
    let most = order.max { (members[$0]?.count ?? 0) < (members[$1]?.count ?? 0) }
    lines.append("    rest = dict(named)")
    var places: [PyTorchUpdate: String] = [:]
    for (number, update) in order.enumerated() where update != most {
      let own = members[update] ?? []
      let others = order.filter { $0 != update }.flatMap { members[$0] ?? [] }
      let endings = NameEndings(own.map { "." + $0 }, against: others.map { "." + $0 }).endings
      let list = endings.map { "\"\($0)\"" }.joined(separator: ", ")
      lines += PythonText.wrapped("ends = (\(list)\(endings.count == 1 ? "," : ""))", indent: 4)
      lines.append("    group\(number) = [rest.pop(n) for n in named if f\".{n}\".endswith(ends)]")
      places[update] = "group\(number)"
    }
    if let most { places[most] = "list(rest.values())" }
    var classes: [[PyTorchUpdate]] = []
    for update in order {
      if let index = classes.firstIndex(where: {
        $0[0].optimizer == update.optimizer && $0[0].arguments == update.arguments
      }) {
        classes[index].append(update)
      } else {
        classes.append([update])
      }
    }
    lines.append("    return [")
    for updates in classes {
      lines.append("        \(updates[0].optimizer)(")
      lines.append("            [")
      for update in updates {
        let own = update.group.map { $0.split(separator: "=", maxSplits: 1) }.map { "\"\($0[0])\": \($0[1])" }
        let group = (["\"params\": \(places[update] ?? "")"] + own).joined(separator: ", ")
        lines.append("                {\(group)},")
      }
      lines.append("            ],")
      lines += (["lr=PEAK"] + updates[0].arguments).map { "            \($0)," }
      lines.append("        ),")
    }
    lines.append("    ]")
    return (definitions + [lines.joined(separator: "\n")]).joined(separator: "\n\n\n")
  }

  /// Writes program and tokens into `folder`.
  public func write(to folder: String) throws {
    try writeAtomically(program, to: folder + "/train.py")
    try writeTokens(to: folder)
  }

  /// Writes the tokens into `folder`.
  public func writeTokens(to folder: String) throws {
    try Self.write(training, to: folder + "/training.bin")
    if let validation { try Self.write(validation, to: folder + "/validation.bin") }
  }

  /// A file of tokens as llm.c has them, which `chimera train` reads too: 1,024 bytes of header, then 16 bits a token, or
  /// 32 where one of them needs more.
  private static func write(_ text: TokenText, to path: String) throws {
    let piece = 1 << 16
    let starts = stride(from: 0, to: text.count, by: piece)
    let isWide = starts.contains { start in
      text[start..<min(text.count, start + piece)].contains { $0 > Int(UInt16.max) }
    }
    try writeAtomically(to: path) { file in
      var header = [UInt8](repeating: 0, count: 1024)
      for (index, word) in [isWide ? 20_240_801 : 20_240_520, 1, text.count].enumerated() {
        for byte in 0..<4 { header[index * 4 + byte] = UInt8(truncatingIfNeeded: word >> (8 * byte)) }
      }
      try file.write(header)
      for start in starts {
        var bytes: [UInt8] = []
        for token in text[start..<min(text.count, start + piece)] {
          for byte in 0..<(isWide ? 4 : 2) { bytes.append(UInt8(truncatingIfNeeded: token >> (8 * byte))) }
        }
        try file.write(bytes)
      }
    }
  }
}
