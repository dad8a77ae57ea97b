import Components
import Files

/// The zoo: folders that hold `<family>/<name>.yaml` for each model, `<family>/family.yaml` for what its members share,
/// `naming/<preset>.yaml` for maps that families build on, and `studies/<name>.yaml` for questions about models.
///
/// Nothing is read but folders, so looking through hundreds of models is quick. Where two folders hold the same name,
/// the earlier folder counts.
public struct Catalog: Sendable {
  /// A model of the zoo.
  public struct Model: Sendable, Hashable {
    /// Its name: that of its file.
    public let name: String
    /// The folder it stands in.
    public let family: String
    /// Where its file is.
    public let path: String
  }

  /// The name of a family's own file.
  public static let familyFile = "family"
  /// The folder of the maps that families build on.
  public static let namingFolder = "naming"
  /// The folder of the studies, which are no models.
  public static let studyFolder = "studies"

  /// The folders, those that count first first.
  public let folders: [String]
  private let roots: [String]
  let canonicalPaths = CanonicalPaths()

  /// The zoo in `folders`; a folder that is not there holds nothing.
  public init(folders: [String]) {
    self.folders = folders
    roots = folders.compactMap { SourceFile.canonicalPath($0) }
  }

  /// Every model, by family and name.
  public func models() -> [Model] {
    var found: [Model] = []
    var names: Set<String> = []
    for folder in folders {
      for family in families(in: folder) {
        for name in fileNames(in: "\(folder)/\(family)") where name != Self.familyFile {
          guard names.insert(name).inserted else { continue }
          found.append(Model(name: name, family: family, path: "\(folder)/\(family)/\(name).yaml"))
        }
      }
    }
    return found.sorted { ($0.family, $0.name) < ($1.family, $1.name) }
  }

  /// The paths of all YAML files in the zoo's folders: of what any model can be made of.
  public func files() -> [String] {
    func below(_ folder: String, _ depth: Int) -> [String] {
      // A file extends another beside it or deeper; links that lead around in circles end here.
      guard depth < 8, let names = try? namesInFolder(folder) else { return [] }
      return names.flatMap { name in
        let path = folder + "/" + name
        if name.hasSuffix(".yaml") || name.hasSuffix(".yml") { return [path] }
        return kind(ofPath: path) == .folder ? below(path, depth + 1) : []
      }
    }
    return folders.flatMap { below($0, 0) }
  }

  /// The paths of every family's own file, by family.
  public func familyFiles() -> [(family: String, path: String)] {
    var found: [String: String] = [:]
    for folder in folders {
      for family in families(in: folder) where found[family] == nil {
        let path = "\(folder)/\(family)/\(Self.familyFile).yaml"
        if kind(ofPath: path) == .file { found[family] = path }
      }
    }
    return found.sorted { $0.key < $1.key }.map { (family: $0.key, path: $0.value) }
  }

  /// The path of the file that `name` means: a model's name, or a path in the zoo without its ending such as
  /// `<family>/<name>`; nil when there is none.
  public func path(of name: String) -> String? {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ Self.isName(String($0)) }) else { return nil }
    for folder in folders {
      if parts.count == 2 {
        let path = "\(folder)/\(name).yaml"
        if kind(ofPath: path) == .file, contains(path) { return path }
      } else if name != Self.familyFile {
        for family in families(in: folder) {
          let path = "\(folder)/\(family)/\(name).yaml"
          if kind(ofPath: path) == .file, contains(path) { return path }
        }
      }
    }
    return nil
  }

  /// The path of the study's file that `name` means; nil when there is none.
  public func study(named name: String) -> String? {
    guard Self.isName(name) else { return nil }
    return folders.map { "\($0)/\(Self.studyFolder)/\(name).yaml" }.first { kind(ofPath: $0) == .file && contains($0) }
  }

  /// The names of the studies.
  public func studies() -> [String] {
    Set(folders.flatMap { fileNames(in: "\($0)/\(Self.studyFolder)") }).sorted()
  }

  /// The name in the zoo that `word` was most likely meant to be.
  public func nearest(to word: String) -> String? {
    if word.contains("/") {
      var paths: [String] = []
      for folder in folders {
        for family in families(in: folder) + [Self.namingFolder] {
          paths += fileNames(in: "\(folder)/\(family)").map { "\(family)/\($0)" }
        }
      }
      return nearestName(to: word, in: paths)
    }
    return nearestName(to: word, in: models().map(\.name))
  }

  /// What a person is told who asked for `word`, which names no model: the models that are meant together by it, such as
  /// the sizes of a family, or else the nearest name.
  public func hint(for word: String) -> String? {
    let members = members(like: word)
    if members.count > 1 { return "its models are \(members.joined(separator: ", "))" }
    return (members.first ?? nearest(to: word)).map { "did you mean '\($0)'?" }
  }

  /// The models that `word` means together: those of a family of this name, or those whose names begin with it.
  /// Case, `-` and `_` carry no meaning.
  public func members(like word: String) -> [String] {
    func letters(_ text: String) -> [UInt8] { text.lowercased().utf8.filter { !"_-. ".utf8.contains($0) } }
    let wanted = letters(word)
    guard !wanted.isEmpty else { return [] }
    let models = models()
    let family = models.filter { letters($0.family) == wanted }.map(\.name)
    if !family.isEmpty { return family }
    let named = models.filter { letters($0.name).starts(with: wanted) }.map(\.name)
    return wanted.count > 2 && named.count <= 12 ? named : []
  }

  /// Whether the file at `path`, its links followed, stands in the zoo.
  public func contains(_ path: String) -> Bool {
    guard let resolved = canonicalPaths[path] else { return false }
    return roots.contains { resolved.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") }
  }

  /// The family in whose folder the file at `path` stands; nil outside the zoo.
  public func family(ofPath path: String) -> String? {
    guard let resolved = canonicalPaths[path] else { return nil }
    for root in roots where resolved.hasPrefix(root + "/") {
      let parts = resolved.dropFirst(root.count + 1).split(separator: "/")
      if parts.count == 2, ![Self.namingFolder, Self.studyFolder].contains(String(parts[0])) {
        return String(parts[0])
      }
    }
    return nil
  }

  /// Whether `name` can name a model: letters, digits, `.`, `_`, `-` and `+`, not beginning with a dot or a dash.
  public static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 128 else { return false }
    let isLetter = { (byte: UInt8) in (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A || (0x30...0x39).contains(byte) }
    return isLetter(first) && name.utf8.allSatisfy { isLetter($0) || "._-+".utf8.contains($0) }
  }

  private func families(in folder: String) -> [String] {
    let names = (try? namesInFolder(folder)) ?? []
    return names.filter { Self.isName($0) && $0 != Self.namingFolder && $0 != Self.studyFolder }
  }

  /// The names of the YAML files of a folder, without their ending.
  private func fileNames(in folder: String) -> [String] {
    let names = (try? namesInFolder(folder)) ?? []
    return names.compactMap { name in
      guard name.hasSuffix(".yaml") else { return nil }
      let base = String(name.dropLast(5))
      return Self.isName(base) ? base : nil
    }
  }
}
