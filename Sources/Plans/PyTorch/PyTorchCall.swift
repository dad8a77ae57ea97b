/// A step as it is written in PyTorch: what its operator is told, and what it notes there.
///
/// An operator reads its inputs as expressions, says what module holds its tensors and which functions it needs, and gives
/// the expression of its output (of several outputs a tuple). It takes no part of the file's layout: where an expression
/// becomes a variable, a class or a line is the writer's business.
///
///     public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
///       .call("F.silu", [call.input()])
///     }
public struct PyTorchCall {
  /// What the writer says of an input.
  public struct Input {
    /// The tensor.
    public let expression: PyTorchExpression
    /// How it lies.
    public let layout: PyTorchLayout
    /// The setting that counts its heads, where somebody has said it.
    public let headCount: String?
    /// The last axis's length in a constructor.
    public let width: String

    /// An input of these parts.
    public init(_ expression: PyTorchExpression, _ layout: PyTorchLayout, headCount: String?, width: String) {
      (self.expression, self.layout, self.headCount, self.width) = (expression, layout, headCount, width)
    }
  }

  /// The step.
  public let step: Step
  /// What the model is written for.
  public let form: PyTorchForm
  /// The shapes of its tensors.
  public let shapes: [[Int]]
  /// All operators of the plan that are called as this one is: one function serves them all.
  public let peers: [any Operator]
  /// The last axis's length of each output, in a constructor.
  public let outputWidths: [String]
  /// What the operator has noted.
  public private(set) var notes: PyTorchNotes
  /// The token ids that a lookup reads where the step is written.
  public var tokens: PyTorchExpression = "tokens"
  private let inputs: [Input]
  private let parameters: [PyTorchExpression]
  private let holder: PyTorchExpression?
  private let states: [String]
  private let settings: [String: String]

  /// The call of `step`.
  ///
  /// - Parameters:
  ///   - form: what the model is written for.
  ///   - shapes: the shapes of its tensors.
  ///   - peers: all operators of the plan that are called as this one is.
  ///   - inputs: its inputs.
  ///   - parameters: its tensors.
  ///   - holder: the place where a module can hold all of them; nil where they must stay tensors.
  ///   - states: the names of what it keeps.
  ///   - outputWidths: the last axis's length of each output, in a constructor.
  ///   - settings: the class's settings so far, each with its value.
  public init(
    _ step: Step, for form: PyTorchForm, shapes: [[Int]], peers: [any Operator], inputs: [Input],
    parameters: [PyTorchExpression],
    holder: PyTorchExpression?, states: [String], outputWidths: [String], settings: [String: String]
  ) {
    self.step = step
    self.form = form
    self.shapes = shapes
    self.peers = peers
    self.inputs = inputs
    self.parameters = parameters
    self.holder = holder
    self.states = states
    self.outputWidths = outputWidths
    self.settings = settings
    notes = PyTorchNotes(outputs: step.outputs.count)
  }

  // What it reads.

  /// Input `index` as `[batch, tokens, width]`.
  public func input(_ index: Int = 0) -> PyTorchExpression {
    if case .heads = inputs[index].layout { return inputs[index].expression.method("flatten", "-2") }
    return inputs[index].expression
  }

  /// Input `index` as it lies; the first output lies the same way, for the operator acts on every number alone.
  public mutating func elements(_ index: Int = 0) -> PyTorchExpression {
    notes.layouts[0] = inputs[index].layout
    return inputs[index].expression
  }

  /// How input `index` lies.
  public func layout(_ index: Int) -> PyTorchLayout { inputs[index].layout }

  /// Input `index` laid out as `layout`.
  public mutating func input(_ index: Int, as layout: PyTorchLayout) -> PyTorchExpression {
    switch layout {
    case .rows: input(index)
    case .heads(let count): heads(count, ofInput: index)
    case .own: inputs[index].expression
    }
  }

  /// Input `index` as `[batch, tokens, count, width / count]`; `name` is the setting that counts its heads.
  public mutating func heads(_ count: Int, ofInput index: Int = 0, named name: String? = nil) -> PyTorchExpression {
    if let name { notes.headCounts.append((index, name, count)) }
    if inputs[index].layout == .heads(count) { return inputs[index].expression }
    let known = name ?? inputs[index].headCount
    if known == nil, count == 1 { return input(index).method("unsqueeze", "-2") }
    let number = known.map { setting($0, PyTorchExpression(count)) } ?? PyTorchExpression(count)
    return input(index).method("unflatten", "-1", "(\(number.text), -1)")
  }

  /// Asks that inputs be variables when they are read, which `names` name; nil leaves one as it is.
  public mutating func readsVariables(_ names: String?...) { notes.variables = names }

  /// The tensor at `index` of the step's.
  public func parameter(_ index: Int = 0) -> PyTorchExpression { parameters[index] }

  /// The width of input `index`, in a constructor.
  public func width(ofInput index: Int = 0) -> String { inputs[index].width }

  /// The number `value`, in a constructor, under the setting `name` of the model where all agree on it; a stack beside the
  /// text's has settings of its own.
  public func constant(_ name: String, _ value: PyTorchExpression) -> String {
    "{{\(step.scope.stack.map { $0 + "_" } ?? "")\(name)|\(value.text)}}"
  }

  /// The number `value`, in `forward`, kept by the class as `name`.
  public mutating func setting(_ name: String, _ value: PyTorchExpression) -> PyTorchExpression {
    if let other = settings[name] ?? notes.settings.first(where: { $0.0 == name })?.1.text, other != value.text {
      return value
    }
    if !notes.settings.contains(where: { $0.0 == name }) { notes.settings.append((name, value)) }
    return PyTorchExpression("self.\(name)")
  }

  /// The tokens' positions, `[tokens]`; in transformers `[batch, tokens]`.
  public mutating func positions() -> PyTorchExpression {
    notes.readsPositions = true
    return "positions"
  }

  /// Which of two texts that are read together each token belongs to, 0 or 1: `[batch, tokens]`.
  public mutating func types() -> PyTorchExpression {
    notes.readsTypes = true
    return "types"
  }

  /// The rows that the model or its stack is given: a picture's patches, `[batch, patches, width]`.
  public mutating func givenRows() -> PyTorchExpression {
    notes.readsRows = true
    return "rows"
  }

  /// How many first tokens of the text see each other: an `int`.
  public mutating func prefix() -> PyTorchExpression {
    notes.readsPrefix = true
    return "prefix"
  }

  /// The number of the picture that each token is part of, 0 for none: `[batch, tokens]`.
  public mutating func pictures() -> PyTorchExpression {
    notes.readsPictures = true
    return "pictures"
  }

  /// How many tokens the text has with those of this pass: an `int`.
  public mutating func length() -> PyTorchExpression {
    notes.readsLength = true
    return "length"
  }

  /// What is kept of the text from one pass to the next, a dictionary of tensors; `None` where nothing is.
  public mutating func cache() -> PyTorchExpression {
    notes.readsCache = true
    guard form == .transformers else { return "cache" }
    notes.readsStates = true
    return "states"
  }

  /// `x`, `[batch, tokens, …]`, with zeros where a text of the batch has no token but padding.
  ///
  /// An operator that carries something from token to token by `cache()` reads its rows so; else padding would count.
  public mutating func withoutPadding(_ x: PyTorchExpression) -> PyTorchExpression {
    guard form == .transformers else { return x }
    notes.readsPadding = true
    define(
      "unpadded",
      """
      def unpadded(x, padding):
          \"""x, zero where a text has no token. padding: [batch, tokens], zero there, or None.\"""
          if padding is None:
              return x
          return x * padding.view(*padding.shape, *[1] * (x.dim() - 2)).to(x.dtype)
      """)
    return .call("unpadded", [x, "padding"])
  }

  // What only transformers has.

  /// The library's cache of all layers; this layer is `self.layer_idx` there.
  public mutating func libraryCache() -> PyTorchExpression {
    notes.readsCache = true
    return "cache"
  }

  /// The keys that each token sees, as the library's attention functions take it; where layers differ, that of the type
  /// `type`.
  public mutating func attentionMask(of type: PyTorchExpression?) -> PyTorchExpression {
    notes.readsMask = true
    return type.map { "attention_mask[\($0.text)]" } ?? "attention_mask"
  }

  /// The positions of all keys, `[batch, keys]`, below zero where there is padding.
  public mutating func keyPositions() -> PyTorchExpression {
    notes.readsKeyPositions = true
    return "key_positions"
  }

  /// The name of state `index` in the cache.
  public func state(_ index: Int) -> String { states[index] }

  // What it notes.

  /// The module that `constructor` makes, which holds the step's tensors under the names that they have; nil where tensors
  /// that others read too must stay tensors.
  public mutating func module(_ constructor: PyTorchExpression) -> PyTorchExpression? {
    guard let holder else { return nil }
    notes.constructor = constructor
    return holder
  }

  /// Writes a function or a class at the top of the file, once: `text` without a final newline.
  public mutating func define(_ name: String, _ text: String) {
    if !notes.definitions.contains(where: { $0.name == name }) { notes.definitions.append((name, text)) }
  }

  /// Says that input `index` may be `None`: a text without pictures.
  public mutating func mayBeNone(input index: Int) { notes.inputsThatMayBeNone.insert(index) }

  /// Writes a statement before the one that gives the outputs.
  public mutating func statement(_ text: String) { notes.statements.append(text) }

  /// Keeps `value` as `self.name`, which is no setting of the model.
  public mutating func keeps(_ name: String, _ value: String) {
    if !notes.members.contains(where: { $0.name == name }) { notes.members.append((name, value)) }
  }

  /// Says that the outputs become variables before anything else is written, for the expression reads names of statements.
  public mutating func givesVariables() { notes.givesVariables = true }

  /// Writes `import name` at the top of the file.
  public mutating func imports(_ name: String) { notes.imports.insert(name) }

  /// Says how output `index` lies; rows unless it is said.
  public mutating func output(_ index: Int = 0, is layout: PyTorchLayout, headCount: String? = nil) {
    notes.layouts[index] = layout
    if let headCount, case .heads(let count) = layout { notes.outputHeadCounts.append((index, headCount, count)) }
  }

  /// Names the variables that hold the outputs, where one is needed.
  public mutating func names(_ names: String...) { notes.names = names }

  /// Says that the width of input `index` is the setting `name`.
  public mutating func widthOfInput(_ index: Int, isCalled name: String) { notes.widths.append((index, name)) }

  /// Says what the part of the model that the step stands in is, in a noun: `Attention`; of several the highest rank wins.
  /// Adjectives tell two parts of one noun apart.
  public mutating func isPart(of noun: String? = nil, rank: Int = 1, adjective: String? = nil) {
    if let noun, rank > notes.noun?.rank ?? 0 { notes.noun = (noun, rank) }
    if let adjective { notes.adjectives.append(adjective) }
  }
}
