/// What an operator notes where it is written in PyTorch; see `PyTorchCall`.
public struct PyTorchNotes {
  /// How each output lies.
  public var layouts: [PyTorchLayout]
  /// The variables that hold the outputs, where they need one.
  public var names: [String] = []
  /// The variables that must hold the inputs; nil for one that may be any expression.
  public var variables: [String?] = []
  /// What makes the module that holds the tensors.
  public var constructor: PyTorchExpression?
  /// Functions and classes at the top of the file.
  public var definitions: [(name: String, text: String)] = []
  /// Modules to import.
  public var imports: Set<String> = []
  /// What the class keeps for `forward`.
  public var settings: [(String, PyTorchExpression)] = []
  /// The settings that count an input's heads.
  public var headCounts: [(input: Int, name: String, count: Int)] = []
  /// The settings that count an output's heads.
  public var outputHeadCounts: [(output: Int, name: String, count: Int)] = []
  /// The settings that are an input's width.
  public var widths: [(input: Int, name: String)] = []
  /// What the part is that the step stands in.
  public var noun: (text: String, rank: Int)?
  /// What tells it from others of its noun.
  public var adjectives: [String] = []
  /// Whether it reads the tokens' positions.
  public var readsPositions = false
  /// Whether it reads the text's length.
  public var readsLength = false
  /// Whether it reads which text each token belongs to.
  public var readsTypes = false
  /// Whether it reads how many first tokens see each other.
  public var readsPrefix = false
  /// Whether it reads which picture each token is part of.
  public var readsPictures = false
  /// Whether it reads the rows that the model or its stack is given.
  public var readsRows = false
  /// The inputs that may be `None`.
  public var inputsThatMayBeNone: Set<Int> = []
  /// Whether it reads the cache.
  public var readsCache = false
  /// Whether it reads what its layer keeps as a dictionary of tensors.
  public var readsStates = false
  /// Whether it reads where texts have padding.
  public var readsPadding = false
  /// Whether it reads the mask of the library's attention functions.
  public var readsMask = false
  /// Whether it reads the positions of all keys.
  public var readsKeyPositions = false
  /// Statements before the one that gives the outputs.
  public var statements: [String] = []
  /// What the class keeps that is no setting.
  public var members: [(name: String, value: String)] = []
  /// Whether the outputs become variables at once.
  public var givesVariables = false

  init(outputs: Int) { layouts = Array(repeating: .rows, count: outputs) }
}
