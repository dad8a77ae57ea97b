import Settings

/// A plan being written: components add steps to it, each in the scope it stands in.
///
/// One mutation a statement: Swift may read `plan` before an argument changes it.
public struct PlanBuilder {
  /// The sizes of the stack that is being written: the model's own, where that is the text's.
  public private(set) var shape: ModelShape
  /// The sizes of the text's stack.
  public let textShape: ModelShape
  /// What the rows of the stack that is being written stand for.
  public private(set) var rows = RowAxis.tokens
  /// The scope that is being written: what the names of its tensors begin with.
  public private(set) var scope = TensorName()
  private var axes = PlannedAxis.ofText
  private var part = ""
  /// What the names of tensors begin with in place of the scope, where layers share them.
  private var tensorScope: TensorName?
  var steps: [Step] = []
  private var values: [Value] = []
  private(set) var parameters: [PlannedTensor] = []
  private var parameterIndex: [TensorName: Int] = [:]
  /// The text's tensors that other stacks read too.
  private var sharedByStacks: Set<TensorName> = []
  private var states: [PlannedState] = []
  private var problems = Problems()
  private var sharedValues: [SharedKey: Value] = [:]
  private var left: [SharedKey: Any] = [:]
  private var longestSequence: Int?
  private var extendedContext: Int?
  private var finalStates: Value?
  private var prediction = Plan.Prediction.tokens
  private var filling: Int?
  private var logitFactor = 1.0
  private var residualFactor = 1.0
  private var hasTakenFactors = (logits: true, residual: true)

  /// What stands for a value that components of one stack share.
  private struct SharedKey: Hashable {
    let stack: String?
    let key: AnyHashable
  }

  /// An empty plan for a model of `shape`. Where its rows are no tokens they are given, `inputWidth` numbers each: `patches` of a
  /// picture.
  public init(shape: ModelShape, inputWidth: Int? = nil, patches: PatchGrid? = nil) {
    self.shape = shape
    textShape = shape
    guard inputWidth != nil else { return }
    axes[RowAxis.tokens.index] = PlannedAxis(
      name: "pixels", kind: .sequence, inputWidth: inputWidth, patches: patches)
  }

  /// Has logits and sublayers' results multiplied, by whoever writes them, as a rule of the model's size wants it.
  public mutating func multiply(logits: Double, residual: Double) {
    (logitFactor, residualFactor) = (logits, residual)
    hasTakenFactors = (logits == 1, residual == 1)
  }

  /// What a head multiplies its logits with besides, before what bounds them.
  public mutating func takeLogitFactor() -> Double {
    hasTakenFactors.logits = true
    return logitFactor
  }

  /// What a block multiplies the result of each of its sublayers with besides.
  public mutating func takeResidualFactor() -> Double {
    hasTakenFactors.residual = true
    return residualFactor
  }

  /// Which factors nobody took, in words.
  public var factorsLeft: [String] {
    (hasTakenFactors.logits ? [] : ["its head does not multiply logits"])
      + (hasTakenFactors.residual ? [] : ["its block does not multiply what sublayers give"])
  }

  /// Notes what keeps the plan from being written: a sentence, and the place of the setting to blame.
  public mutating func fail(_ sentence: String, at place: Place?, hint: String? = nil) {
    problems.add(Problem(sentence, at: place, hint: hint))
  }

  /// Writes what `body` writes in the scope `name`: the tensor `q` in the scope `attn` of `layers.0` is
  /// `layers.0.attn.q`.
  public mutating func within<Result>(_ name: String, _ body: (inout PlanBuilder) -> Result) -> Result {
    let outer = (scope, tensorScope)
    scope = scope.appending(name)
    tensorScope = tensorScope?.appending(name)
    defer { (scope, tensorScope) = outer }
    return body(&self)
  }

  /// Writes what `body` writes with the tensors of `group`, which stand outside all layers: a layer that names a group has
  /// those of every other that does. Steps and states stay the layer's own.
  public mutating func withTensors<Result>(of group: String, _ body: (inout PlanBuilder) -> Result) -> Result {
    let outer = tensorScope
    tensorScope = TensorName(stack: scope.stack).appending(group)
    defer { tensorScope = outer }
    return body(&self)
  }

  /// Writes what `body` writes with the layer's own tensors, inside what is written with those of a group.
  public mutating func withOwnTensors<Result>(_ body: (inout PlanBuilder) -> Result) -> Result {
    let outer = tensorScope
    tensorScope = nil
    defer { tensorScope = outer }
    return body(&self)
  }

  /// Writes what `body` writes as the layer `index`.
  public mutating func layer<Result>(_ index: Int, _ body: (inout PlanBuilder) -> Result) -> Result {
    let outer = scope
    scope = TensorName(stack: scope.stack, layer: index)
    defer { scope = outer }
    return body(&self)
  }

  /// Writes what `body` writes as the stack `name` beside the text's, of the sizes `shape` and with the rows of `axis`: the
  /// tensor `q` in the scope `attn` of its `layers.0` is `name.layers.0.attn.q`.
  public mutating func stack<Result>(
    _ name: String, shape: ModelShape, rows axis: RowAxis, _ body: (inout PlanBuilder) -> Result
  ) -> Result {
    let outer = (scope, self.shape, rows)
    (scope, self.shape, rows) = (TensorName(stack: name), shape, axis)
    defer { (scope, self.shape, rows) = outer }
    return body(&self)
  }

  /// Writes what `body` writes as a part of the component, which drawings show by itself under `title`: the queries, the
  /// cached latent, the shared expert. No tensor is named after it.
  public mutating func part<Result>(_ title: String, _ body: (inout PlanBuilder) -> Result) -> Result {
    let outer = part
    part = title
    defer { part = outer }
    return body(&self)
  }

  /// Another axis of rows beside the text's tokens: the patches of an image, a source text.
  ///
  /// `inputWidth` is the width of the rows that a pass is given for it; nil where it is given token ids, of which there are
  /// `vocabSize`. The model is made for `context` rows of it.
  public mutating func axis(
    _ name: String, inputWidth: Int? = nil, vocabSize: Int? = nil, context: Int? = nil, patches: PatchGrid? = nil
  ) -> RowAxis {
    axes.append(
      PlannedAxis(
        name: name, kind: .sequence, inputWidth: inputWidth, vocabSize: vocabSize, context: context, patches: patches))
    return RowAxis(axes.count - 1)
  }

  /// An axis of rows that are made of those of `source`: the first `dropping` of a sequence are left out, and each is made of
  /// `joining` of the others.
  public mutating func axis(from source: RowAxis, dropping: Int, joining: Int) -> RowAxis {
    axes.append(
      PlannedAxis(
        name: axes[source.index].name, kind: .derived(source, dropping: dropping, joining: joining),
        context: axes[source.index].context.map { max(1, ($0 - dropping) / joining) }))
    return RowAxis(axes.count - 1)
  }

  /// Notes that the rows of `axis` stand in the places of `token` in the text, with tiles laid together in `lines`.
  public mutating func place(rowsOf axis: RowAxis, at token: Int, lines: PictureLines? = nil) {
    axes[axis.index].placeholder = token
    axes[axis.index].lines = lines
  }

  /// Notes that `token` stands in the text for all rows of a picture on `axis`.
  public mutating func mark(pictureOf axis: RowAxis, by token: Int) { axes[axis.index].mark = token }

  /// How the rows on `axis` stand for a picture; nil where they do not.
  public func patches(of axis: RowAxis) -> PatchGrid? { axes[axis.index].patches }

  /// How many rows every picture has on `axis`; nil where it has none, or pictures are of any size.
  public func rowsOfPicture(on axis: RowAxis) -> Int? {
    let planned = axes[axis.index]
    if case .derived(let source, let dropping, let joining) = planned.kind {
      // Which rows of a canvas are there is not known of those that are made of them.
      guard axes[source.index].patches?.tiles == nil else { return nil }
      return rowsOfPicture(on: source).map { ($0 - dropping) / joining }
    }
    return planned.patches.flatMap { $0.tiles?.rowsOfPicture ?? planned.longest }
  }

  /// How the rows given to the stack that is being written stand for a picture; nil where they do not.
  public var patches: PatchGrid? { axes[rows.index].patches }

  /// A learned tensor of this scope; a name stands for one tensor, so asking again for `name` gives the same.
  ///
  /// One axis makes a vector and two a matrix, unless `use` says otherwise. A name with a `*` stands for as many tensors
  /// as the first axis counts, of which a token meets `chosen`. Training holds its numbers at `most`, at most.
  public mutating func parameter(
    _ name: String, shape: [Int], starts initialization: PlannedTensor.Initialization, use: PlannedTensor.Use? = nil,
    chosen: Int? = nil, most: Double? = nil
  ) -> ParameterReference {
    parameter(
      at: (tensorScope ?? scope).appending(name), shape: shape, starts: initialization, use: use, chosen: chosen,
      most: most)
  }

  /// A learned tensor of the text's stack, outside its layers, which other stacks may read too.
  public mutating func textParameter(
    _ name: String, shape: [Int], starts initialization: PlannedTensor.Initialization
  ) -> ParameterReference {
    let name = TensorName().appending(name)
    sharedByStacks.insert(name)
    return parameter(at: name, shape: shape, starts: initialization, use: nil, chosen: nil)
  }

  private mutating func parameter(
    at name: TensorName, shape: [Int], starts initialization: PlannedTensor.Initialization, use: PlannedTensor.Use?,
    chosen: Int?, most: Double? = nil
  ) -> ParameterReference {
    if let index = parameterIndex[name] {
      if sharedByStacks.contains(name), parameters[index].shape != shape {
        fail(
          "the stacks share the tensor \(name), which is \(parameters[index].shape) in one and \(shape) in another",
          at: nil)
        return ParameterReference(index: index, shape: shape)
      }
      precondition(
        parameters[index].shape == shape, "the tensor \(name) has two shapes: \(parameters[index].shape), \(shape)")
      return ParameterReference(index: index, shape: shape)
    }
    parameterIndex[name] = parameters.count
    parameters.append(
      PlannedTensor(
        name: name, shape: shape, use: use, initialization: initialization, chosen: chosen, most: most))
    return ParameterReference(index: parameters.count - 1, shape: shape)
  }

  /// The learned tensor with the canonical name `name`, when a component has asked for it before.
  public func existingParameter(_ name: TensorName) -> ParameterReference? {
    parameterIndex[name].map { ParameterReference(index: $0, shape: parameters[$0].shape) }
  }

  /// A state of every sequence, carried from one pass to the next; as `Float` unless its reader takes any format.
  public mutating func state(
    _ name: String, width: Int, extent: PlannedState.Extent, precision: PlannedState.Precision = .full,
    axis: RowAxis = .tokens
  ) -> StateReference {
    states.append(
      PlannedState(name: scope.appending(name), width: width, extent: extent, precision: precision, axis: axis))
    return StateReference(index: states.count - 1)
  }

  /// Writes a step: `operation` reads `inputs` and writes values of the shapes that it says.
  public mutating func apply(
    _ operation: some Operator, to inputs: [Value], parameters: [ParameterReference] = [],
    states: [StateReference] = [], role: Step.Role = .other
  ) -> [Value] {
    let shapes = operation.outputs(inputs.map(\.shape), parameters: parameters.map(\.shape))
    let outputs = shapes.enumerated().map { Value(index: values.count + $0.offset, shape: $0.element) }
    values += outputs
    steps.append(
      Step(
        scope: scope, operation: operation, inputs: inputs, outputs: outputs, parameters: parameters.map(\.index),
        states: states.map(\.index), part: part, role: role))
    return outputs
  }

  /// Writes a step with one output.
  public mutating func apply(
    _ operation: some Operator, to inputs: Value..., parameters: [ParameterReference] = [],
    states: [StateReference] = [], role: Step.Role = .other
  ) -> Value {
    let outputs = apply(operation, to: inputs, parameters: parameters, states: states, role: role)
    precondition(outputs.count == 1, "\(operation.name) has \(outputs.count) outputs, and one is asked for")
    return outputs[0]
  }

  /// A value that several components use and that is written once: the first time `key` is asked for.
  public mutating func shared(_ key: AnyHashable, _ write: (inout PlanBuilder) -> Value) -> Value {
    let key = SharedKey(stack: scope.stack, key: key)
    if let value = sharedValues[key] { return value }
    let outer = (scope, part, tensorScope)
    (scope, part, tensorScope) = (TensorName(stack: scope.stack), "", nil)
    let value = write(&self)
    (scope, part, tensorScope) = outer
    sharedValues[key] = value
    return value
  }

  /// Leaves something for the layers after this one in the stack that is being written, in place of what was left of its
  /// type before.
  public mutating func leave<Left: Sendable>(_ something: Left) {
    left[SharedKey(stack: scope.stack, key: ObjectIdentifier(Left.self))] = something
  }

  /// What a layer before has left last; nil where none has.
  public func left<Left: Sendable>(_ type: Left.Type) -> Left? {
    left[SharedKey(stack: scope.stack, key: ObjectIdentifier(Left.self))] as? Left
  }

  /// Writes what `body` writes outside of all layers: tensors that layers share.
  public mutating func outsideLayers<Result>(_ body: (inout PlanBuilder) -> Result) -> Result {
    let outer = scope
    scope = TensorName(stack: scope.stack)
    defer { scope = outer }
    return body(&self)
  }

  /// Notes that no sequence of the stack being written can be longer than `length` rows, as with a table of positions.
  public mutating func limitSequences(to length: Int) {
    guard rows.isOfText else {
      axes[rows.index].longest = min(axes[rows.index].longest ?? length, length)
      return
    }
    longestSequence = min(longestSequence ?? length, length)
  }

  /// Notes that positions are encoded in texts of up to `length` tokens, though the model's context may be shorter;
  /// `Int.max` for texts of any length.
  public mutating func extendContext(to length: Int) {
    if rows.isOfText { extendedContext = max(extendedContext ?? 0, length) }
  }

  /// Notes that `states` is what stands for each row at the end, before anything is predicted from it.
  public mutating func ends(in states: Value) { finalStates = states }

  /// Notes what the logits say, where that is not how likely tokens are.
  public mutating func predicts(_ prediction: Plan.Prediction) { self.prediction = prediction }

  /// Notes that texts are filled up with `token` to the longest that the model takes.
  public mutating func fillTexts(with token: Int) { filling = token }

  /// The finished plan; throws what components noted on the way.
  public consuming func finish(name: String, logits: Value) throws(Problems) -> Plan {
    try problems.check()
    let plan = Plan(
      name: name, shape: shape, axes: axes, steps: steps, values: values, parameters: parameters, states: states,
      logits: logits, finalStates: finalStates, prediction: prediction,
      longestSequence: longestSequence, extendedContext: extendedContext, filling: filling)
    let faults = plan.verify()
    if !faults.isEmpty {
      // Some component wrote what cannot be: not the user's mistake, but refused all the same.
      throw Problems(faults.map { Problem("the composed plan breaks its own rules: \($0)", at: nil) })
    }
    guard plan.canCount(context: shape.contextLength) else {
      throw Problems([
        Problem("the model is too large: its numbers cannot be counted in 64 bits", at: nil, hint: "check its sizes")
      ])
    }
    return plan
  }

  /// Whether a step reads `value`.
  public func isRead(_ value: Value) -> Bool { steps.contains { $0.inputs.contains(value) } }

  /// What components noted so far.
  public var noted: Problems { problems }
}
