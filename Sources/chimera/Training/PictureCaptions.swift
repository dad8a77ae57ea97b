import Components
import Files
import Models
import Specification
import Tokenization
import Training

/// Pictures with their captions, a JSON object a line, as a model that compares them reads them.
///
///     {"image": "pictures/000001.png", "caption": "a red circle"}
///
/// A path begins at the file's folder. `images` with one path and `text` are read too. A caption has the marks that the tokenizer puts
/// around a text; one that is longer than the model reads loses its end, but for those behind it.
struct PictureCaptions {
  /// What a model is trained on, in the order of the lines.
  let examples: TrainingExamples
  /// A hash of the lines, of the pictures, of how the first is read, and of the tokenizer.
  let fingerprint: String

  /// The captions in `paths` for the model of `plan`, whose spec says `images`, with the files in `folder` beside its weights.
  ///
  /// Throws `TrainingProblem` where the model cannot be trained on pictures, and `FileProblem` for lines and pictures that cannot be
  /// read.
  init(
    _ paths: [String], _ plan: Plan, images: Setting?, folder: String, tokenizer: Tokenizer?, longest: Int? = nil
  ) throws {
    let stack = try PictureQuestions.stack(of: plan)
    guard let tokenizer else {
      throw TrainingProblem.untrainablePictures(plan.name, why: "it has no tokenizer here; name one with --tokenizer")
    }
    let rows = PictureRows(
      try PictureReader(plan, stack: stack, images: images, folder: folder), width: stack.patches.width)
    let limit = min(longest ?? Int.max, plan.longestText)
    var hash = SHA256()
    var examples: [TrainingExamples.Example] = []
    var seen: Set<String> = []
    for path in paths {
      guard path.hasSuffix(".jsonl") || path.hasSuffix(".ndjson") else {
        throw FileProblem(
          path: path,
          sentence: "'\(plan.name)' compares pictures with texts, and is trained on lines of JSON: \(Self.form)")
      }
      for (caption, picture) in try Self.read(path, &hash) {
        if seen.insert(picture).inserted {
          let bytes = try MappedFile(path: picture)
          withExtendedLifetime(bytes) { hash.update(bytes.bytes) }
        }
        _ = try rows.first(picture)
        try tokenizer.requireEncodable(caption)
        let ids = tokenizer.encode(caption, addSpecialTokens: true, parseSpecialTokens: false)
        if ids.isEmpty { throw FileProblem(path: path, sentence: "a caption has no token") }
        let cut =
          ids.count <= limit
          ? ids : ids.prefix(max(0, limit - tokenizer.marksBehind.count)) + tokenizer.marksBehind.suffix(limit)
        examples.append(.init(caption: plan.filled(cut, to: limit), picture: picture))
      }
    }
    if let example = examples.first { for number in try rows(example.picture) { hash.update("\(number) ") } }
    hash.update(tokenizer.fingerprint)
    self.examples = TrainingExamples(examples, axis: stack.axis, promptIsSeen: false, rows: { try rows($0) })
    fingerprint = hash.hexadecimal()
  }

  private static let form = #"{"image": "picture.png", "caption": "…"}"#

  /// The captions in the file at `path` with their pictures; its bytes go into `hash`.
  private static func read(_ path: String, _ hash: inout SHA256) throws -> [(caption: String, picture: String)] {
    let file = try MappedFile(path: path)
    let folder = path.contains("/") ? String(path[...(path.lastIndex(of: "/") ?? path.startIndex)]) : ""
    var captions: [(caption: String, picture: String)] = []
    try withExtendedLifetime(file) {
      hash.update(file.bytes)
      for (number, line) in file.bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
        let line = UnsafeRawBufferPointer(rebasing: line)
        if line.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) { continue }
        func wrong(_ what: String) -> FileProblem {
          FileProblem(path: path, sentence: "line \(number + 1) \(what); a line is \(form)")
        }
        let json = try JSONValue(parsing: line, name: "\(path), line \(number + 1)")
        let images = json["image"]?.string.map { [$0] } ?? json["images"]?.array?.compactMap(\.string) ?? []
        guard images.count == 1 else {
          throw wrong(images.isEmpty ? "has no picture" : "has \(images.count) pictures, and a caption is of one")
        }
        guard let caption = json["caption"]?.string ?? json["text"]?.string, !caption.isEmpty else {
          throw wrong("has no caption")
        }
        captions.append((caption, images[0].hasPrefix("/") ? images[0] : folder + images[0]))
      }
    }
    return captions
  }
}
