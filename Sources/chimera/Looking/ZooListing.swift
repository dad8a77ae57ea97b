import Components
import Essentials
import Files
import Models
import Specification

/// The models of the zoo as `chimera list` tells them, kept from one time to the next.
///
/// Composing hundreds of models takes a quarter of a second of processor time, and nothing of them changes between two calls. So what was
/// found is kept in the user's cache beside a fingerprint: of the program, and of the name, size, number and times of every file of the zoo.
/// With another fingerprint, or with a plugin, all is composed anew; nothing is kept while a file is so new that its next change might
/// leave its times as they are. A cache that cannot be read or written costs time and nothing else.
struct ZooListing {
  /// The models, by family and size.
  let models: [ListedModel]
  /// Models that do not compose.
  let broken: [Catalog.Model]

  /// All models of `zoo`, or those of `family`.
  init(of zoo: Zoo, family: String?) {
    let fingerprint = Fingerprint(of: zoo)
    if let fingerprint, let kept = Self.kept(fingerprint) {
      models = family == nil ? kept : kept.filter { $0.family == family }
      broken = []
      return
    }
    let (entries, broken) = ZooEntry.all(of: zoo) { family == nil || $0.family == family }
    models = entries.compactMap(ListedModel.init)
    self.broken = broken
    if let fingerprint, fingerprint.isSettled, family == nil, broken.isEmpty { keep(fingerprint) }
  }

  private static var path: String { Caches.folder + "/listing.json" }

  private static func kept(_ fingerprint: Fingerprint) -> [ListedModel]? {
    guard let file = try? MappedFile(path: path),
      let document = try? JSONValue(parsing: file.bytes, name: path),
      document["of"]?.string == fingerprint.text, let models = document["models"]?.array
    else { return nil }
    let read = models.compactMap(ListedModel.init)
    return read.count == models.count ? read : nil
  }

  private func keep(_ fingerprint: Fingerprint) {
    let document: JSONValue = ["of": .string(fingerprint.text), "models": .array(models.map(\.document))]
    try? makeFolder(Caches.folder)
    try? writeAtomically(document.serialized(), to: Self.path)
  }
}

/// What tells one state of the zoo and the program from another.
private struct Fingerprint {
  let text: String
  /// Whether no file was changed so lately that another change might leave its times as they are.
  let isSettled: Bool

  /// Nil where plugins take part, for what they are made of is not looked at.
  init?(of zoo: Zoo) {
    guard Extensions.isEmpty else { return nil }
    var hash = SHA256()
    var latest = 0
    for path in [Zoo.executablePath] + zoo.catalog.files() {
      guard let stamp = FileStamp(path: path) else { return nil }
      latest = max(latest, stamp.written, stamp.changed)
      hash.update("\(path) \(stamp.size) \(stamp.identity) \(stamp.written) \(stamp.changed)\n")
    }
    text = hash.hexadecimal()
    isSettled = time(nil) - latest / 1_000_000_000 > 2
  }
}
