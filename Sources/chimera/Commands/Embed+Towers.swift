import Components
import Files
import Generation
import Models

extension Embed {
  /// The vectors of texts and of pictures of a model that compares both: what is a picture's file is a picture, anything else a text.
  func embedBoth(_ loaded: LoadedModel) throws {
    let plan = loaded.description.plan
    if pool != nil {
      throw Failure(.usage, "--pool is for rows of states, and '\(plan.name)' gives one vector of a text or picture")
    }
    let isPicture = texts.map(Self.isPicture)
    guard let stack = plan.pictureStacks.first, plan.otherAxes.count == 1 else {
      throw ModelProblem.noSource(plan.name, stacks: plan.otherAxes.map { plan.axes[$0.index].name })
    }
    // As the lines of one file, texts are for a model of texts; here a file that is no picture may have them too.
    let given = texts.count == 1 && !isPicture[0] ? try GivenTexts(texts).texts : texts
    let pictures = given.indices.filter {
      isPicture.indices.contains($0) && isPicture[$0] && given.count == isPicture.count
    }
    let words = given.indices.filter { !pictures.contains($0) }
    var pooling = TextPooling(of: plan)
    (pooling.mode, pooling.normalizes, pooling.maximumTokens) = (.last, normalize ?? false, maxTokens)
    let embedder = TextEmbedder(loaded, pooling, pool: options.pool, computeType: try options.computeType())
    var results = [TextEmbedder.Result?](repeating: nil, count: given.count)
    if !words.isEmpty {
      guard let tokenizer = loaded.tokenizer else {
        throw Failure(.failed, "the model has no tokenizer: give one with --tokenizer")
      }
      let read = try words.map { try embedder.tokens(of: given[$0], tokenizer) }
      if let index = read.firstIndex(where: \.tokens.isEmpty) {
        throw Failure(.usage, "text \(words[index] + 1) is empty")
      }
      for (place, result) in zip(words, try embedder.vectors(of: read, keepingStates: false)) {
        results[place] = result
      }
    }
    if !pictures.isEmpty {
      let read = try PictureReader(loaded.description, stack: stack).read(pictures.map { given[$0] })
      for (file, picture) in zip(pictures, read) where picture.tiles.count != 1 {
        throw Failure(.invalid, "\(given[file]) becomes \(picture.tiles.count) tiles, and one has a vector")
      }
      let vectors = try embedder.vectors(beside: read.map { $0.tiles[0] }, on: stack.axis)
      for (place, result) in zip(pictures, vectors) { results[place] = result }
    }
    try show(given, results.compactMap(\.self), pooling, plan, loaded.tokenizer, pictures: Set(pictures))
  }

  /// Whether `argument` is the path of a file that is read as a picture.
  private static func isPicture(_ argument: String) -> Bool {
    guard kind(ofPath: argument) == .file else { return false }
    let ending = argument.split(separator: ".").last?.lowercased() ?? ""
    return ["png", "jpg", "jpeg"].contains(ending)
  }
}
