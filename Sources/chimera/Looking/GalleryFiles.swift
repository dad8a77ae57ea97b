import Describing
import Dispatch
import Essentials
import Files
import Models
import Synchronization

/// The gallery of some models as a file, or as a folder with the page of each model beside it.
struct GalleryFiles {
  private let entries: [ZooEntry]
  private let zoo: Zoo

  init(_ entries: [ZooEntry], _ zoo: Zoo) { (self.entries, self.zoo) = (entries, zoo) }

  /// Writes to the file at `path`, or into the folder where it ends with a slash or is one.
  func write(to path: String) throws {
    let isFolder = path.hasSuffix("/") || kind(ofPath: path) == .folder
    let gallery = GalleryPage(entries.map(\.inGallery), pages: isFolder).text
    if !isFolder { return try Console.write(page: gallery, to: path) }
    let folder = path.hasSuffix("/") && path.count > 1 ? String(path.dropLast()) : path
    try checkFolder(folder)
    try makeFolder(folder)
    try writePages(in: folder)
    // Last, so that a folder with it is complete.
    try writeAtomically(gallery, to: folder + "/index.html")
    Console.write(folder + "/index.html\n")
  }

  /// Pages go into a new folder, an empty one, or one that has a gallery.
  private func checkFolder(_ folder: String) throws {
    guard kind(ofPath: folder) == .folder else { return }
    let names = try namesInFolder(folder)
    if names.isEmpty || names.contains("index.html") && names.allSatisfy({ $0.hasSuffix(".html") }) { return }
    throw Failure(.usage, "'\(folder)' has other files; name a new folder for the pages")
  }

  private func writePages(in folder: String) throws {
    let problem = Mutex<(any Error)?>(nil)
    DispatchQueue.concurrentPerform(iterations: entries.count) { index in
      if problem.withLock({ $0 != nil }) { return }
      do {
        let name = entries[index].architecture.name
        let described = try zoo.models.describe(name)
        let sheet = ModelSheet(described.architecture, described.choices, described.plan)
        try writeAtomically(ModelPage(sheet).text, to: "\(folder)/\(name).html")
      } catch {
        problem.withLock { $0 = $0 ?? error }
      }
    }
    if let problem = problem.withLock({ $0 }) { throw problem }
  }
}

extension ModelPage {
  /// The page of `sheet`, with the bytes of its weights in the formats that listings name.
  init(_ sheet: ModelSheet) {
    self.init(
      sheet, weights: SheetText.formats.map { (format: $0.rawValue, bytes: sheet.footprint.weightBytes($0)) })
  }
}
