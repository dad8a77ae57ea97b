extension Options {
  /// What `read` makes of `setting`, a group of options that belong to no slot: an optimizer's, for example.
  ///
  /// `path` is what messages call the group. Throws every problem, unknown keys among them.
  public static func reading<Result>(
    _ setting: Setting, path: String,
    shape: ModelShape = ModelShape(vocabSize: 1, contextLength: 1, hiddenSize: 1, layerCount: 1),
    _ read: (Options) -> Result
  ) throws(Problems) -> Result {
    let environment = Environment(registry: Registry())
    let options = Options(setting, path: path, shape: shape, environment: environment)
    let result = read(options)
    options.refuseUnread()
    try environment.problems.check()
    return result
  }

  /// A group in which nothing is set: every reading gives its default.
  public static var unset: Options {
    Options(
      Setting(.group([])), path: "", shape: ModelShape(vocabSize: 1, contextLength: 1, hiddenSize: 1, layerCount: 1),
      environment: Environment(registry: Registry()))
  }
}
