import Plans

/// What the model of a file is given, what it gives, and what cannot be written of it yet.
struct ModelInputs {
  /// An argument of `forward` beside the text's tokens.
  struct Beside: Hashable {
    /// What it is called.
    var name: String
    /// Whether a call may leave it out.
    var isOptional: Bool
    /// How it lies, in a sentence.
    var words: String
    /// Whether it is left out once a text goes on.
    var isForBeginning = false
  }

  /// Whether it reads a text; a model of pictures alone does not.
  let readsTokens: Bool
  /// The axis of pictures, and how its rows stand for them.
  let pictures: (axis: RowAxis, patches: PatchGrid)?
  /// The axis of the only other text that is read.
  let source: (axis: RowAxis, name: String)?
  /// The token in whose places pictures stand.
  let placeholder: Int?
  /// Whether something is kept of a text from one pass to the next.
  let keeps: Bool

  /// The name of the argument that pictures are.
  static let pixels = "pixel_values"

  /// What `plan` reads. Throws for what has no place in a file for `form`.
  init(_ plan: Plan, for form: PyTorchForm) throws(ExportProblem) {
    let isTextAlone = plan.axes.count == PlannedAxis.ofText.count && plan.readsTokens
    if form == .transformers {
      guard isTextAlone else { throw .noContinuation(name: plan.name, what: "reads more than a text") }
      guard !plan.seesWholeTexts, plan.prediction == .tokens else {
        throw .noContinuation(name: plan.name, what: "is an encoder")
      }
    }
    func problem(_ what: String) -> ExportProblem { .noFile(name: plan.name, what: what) }
    if plan.prediction == .pairs { throw problem("compares a text with what another stack reads") }
    readsTokens = plan.readsTokens
    keeps = !plan.states.isEmpty && !plan.seesWholeTexts
    var pictures: (axis: RowAxis, patches: PatchGrid)?
    var source: (axis: RowAxis, name: String)?
    let given = (readsTokens ? [] : [RowAxis.tokens]) + plan.otherAxes
    for axis in given {
      let planned = plan.axes[axis.index]
      if let patches = planned.patches {
        if pictures != nil { throw problem("has two stacks that are given pictures") }
        if patches.frames > 1 { throw problem("reads films, whose patches hold several pictures") }
        if patches.merge > 1 { throw problem("reads pictures whose patches stand in blocks") }
        if patches.tiles != nil { throw problem("reads the tiles of pictures together") }
        pictures = (axis, patches)
      } else if planned.inputWidth != nil {
        throw problem("is given rows of '\(planned.name)' that are no pictures")
      } else {
        if source != nil { throw problem("reads two texts beside its own") }
        source = (axis, planned.name)
      }
    }
    if !isTextAlone, plan.readsPlaces {
      throw problem("turns queries and keys by where rows stand in a picture")
    }
    if !isTextAlone, !plan.recomputationLengths.isEmpty {
      throw problem("computes a text again that outgrows a length, of which pictures are a part")
    }
    (self.pictures, self.source) = (pictures, source)
    placeholder = plan.pictureStacks.first?.placeholder
    if plan.lets(.picture), placeholder == nil {
      throw problem("lets the tokens of a picture see each other, which are none")
    }
  }

  /// The arguments beside the text's tokens, `types` among them where the model reads that.
  func beside(_ needs: WrittenClass.Needs) -> [Beside] {
    var arguments: [Beside] = []
    if pictures != nil, readsTokens {
      arguments.append(
        Beside(
          name: Self.pixels, isOptional: true, words: "\(Self.pixels): [pictures, channels, height, width]",
          isForBeginning: true))
    }
    if let source {
      arguments.append(Beside(name: source.name, isOptional: false, words: "\(source.name): [batch, its tokens]"))
    }
    if needs.types {
      arguments.append(
        Beside(name: "types", isOptional: true, words: "types: 0, and 1 in the second of two texts, [batch, tokens]"))
    }
    if needs.prefix {
      arguments.append(
        Beside(name: "prefix", isOptional: true, words: "prefix: how many first tokens see each other"))
    }
    return arguments
  }

  /// The statement that makes `rows` of pictures, in a class that keeps `patch_size`.
  func rows(in file: FileWriter) -> String? {
    guard let patches = pictures?.patches else { return nil }
    let isPadded = patches.rowsBefore > 0
    let name = file.define(
      "cut",
      """
      def cut(pixels, size\(isPadded ? ", before" : "")):
          \"""The squares of pictures, row by row\(isPadded ? ", behind rows of zeros" : ""): [batch, rows, channels·size²].\"""
          assert pixels.size(2) == pixels.size(3), "pictures are square here"
          x = pixels.unfold(2, size, size).unfold(3, size, size)
          \(isPadded ? "x =" : "return") x.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)\(isPadded ? "\n    return F.pad(x, (0, 0, before, 0))" : "")
      """)
    return "rows = \(name)(\(Self.pixels), self.patch_size\(isPadded ? ", \(patches.rowsBefore)" : ""))"
  }

  /// The setting `patch_size` of a class whose steps stand in `stack`.
  func patchSize(of stack: String?) -> String? {
    pictures.map { "self.patch_size = {{\(stack.map { $0 + "_" } ?? "")patch_size|\($0.patches.size)}}" }
  }

  /// The names of what the functions of a file are given.
  var names: [String] { pictures == nil ? [] : [Self.pixels, "rows", "cut"] }
}

extension Plan {
  /// Whether it continues texts and reads nothing beside them.
  var continuesTexts: Bool {
    axes.count == PlannedAxis.ofText.count && readsTokens && !seesWholeTexts && prediction == .tokens
  }
}
