import Components
import Files
import Synchronization

/// Loads architectures: from a name of the zoo or a file, through everything it extends, to one resolved tree.
///
/// Order: what the file extends (of several, later ones win), the file's own keys, the patches of the caller. `name`,
/// `expected_params` and `extends` are never handed on; `facts` only by a family's own file, to the files beside it and to other families. A file is read once by a
/// loader, however often it is extended; a careful reader who changes a file asks a new loader.
public final class SpecificationLoader: Sendable {
  /// The zoo that names are looked up in.
  public let catalog: Catalog

  /// For each slot, the options that name a component where no type is written.
  private let choosingOptions: [Slot: [String: String]]
  private let terms: FieldTerms
  private let composing: @Sendable (Architecture) -> Problems
  private let resolutions = Mutex<[String: Resolution]>([:])
  // Files that failed, for as long as one architecture is loaded: how deep a chain is depends on where it starts.
  private let failures = Mutex<[String: Resolution]>([:])
  private static let chainLimit = 16

  /// A loader for the zoo of `catalog`. A group without a type that has one of `choosingOptions` is of the component
  /// that the option stands for. A word of `terms` where no key has that name is answered by what it is written as.
  /// `composing` says what is wrong with the components of an architecture whose file has mistakes of its own, so that
  /// all are told at once.
  public init(
    catalog: Catalog, choosingOptions: [Slot: [String: String]], terms: FieldTerms,
    composing: @escaping @Sendable (Architecture) -> Problems
  ) {
    self.catalog = catalog
    self.choosingOptions = choosingOptions
    self.terms = terms
    self.composing = composing
  }

  /// The architecture of the model that `nameOrPath` means, with `patches` laid over it in order.
  ///
  /// A patch that changes what is computed drops `expected_params`, for that is the number of the unchanged model.
  /// Throws every problem of the files and the tree at once; parsing problems of a file hide the problems of the tree.
  public func load(_ nameOrPath: String, patches: [Setting] = []) throws(Problems) -> Architecture {
    try read(resolution(of: nameOrPath, patches: patches))
  }

  /// The architecture that `tree` describes by itself, as if it stood in a file of its own that is called `name`.
  public func load(_ tree: Setting, named name: String) throws(Problems) -> Architecture {
    var resolution = Resolution(path: name, identity: name, family: nil, choosing: choosingOptions)
    lay(tree, over: &resolution, chain: [name])
    if resolution.isBroken { throw resolution.problems }
    return try read(resolution)
  }

  private func read(_ resolution: Resolution) throws(Problems) -> Architecture {
    var reader = ArchitectureReader(resolution, terms: terms)
    let read = reader.read()
    if let architecture = read.architecture, read.problems.isEmpty { return architecture }
    // What is no problem of the file may be one of the components that it chooses.
    var problems = read.problems
    for problem in read.architecture.map({ composing($0).list }) ?? [] { problems.add(problem) }
    throw problems
  }

  /// The merged tree of `nameOrPath` with `patches` laid over it, before it is compared with what a model needs; a
  /// family file has one too.
  public func tree(_ nameOrPath: String, patches: [Setting] = []) throws(Problems) -> Setting {
    let resolution = try resolution(of: nameOrPath, patches: patches)
    try resolution.problems.check()
    return resolution.tree
  }

  /// The path of the file that `nameOrPath` means: a name of the zoo, or a file; throws when there is none.
  public func locate(_ nameOrPath: String) throws(Problem) -> String {
    if !Self.isPath(nameOrPath), let path = catalog.path(of: nameOrPath) { return path }
    switch nameOrPath.utf8.contains(0) ? .nothing : kind(ofPath: nameOrPath) {
    case .file: return nameOrPath
    case .folder: throw Problem("'\(nameOrPath)' is a folder, not a specification", at: nil)
    case .other: throw Problem("'\(nameOrPath)' is not a file", at: nil)
    case .nothing:
      if Self.isPath(nameOrPath) { throw Problem("there is no file '\(nameOrPath)'", at: nil) }
      throw Problem(
        "no model is named '\(nameOrPath)'", at: nil,
        hint: catalog.hint(for: nameOrPath))
    }
  }

  /// Whether `text` is meant as the path of a file, not as a name.
  static func isPath(_ text: String) -> Bool {
    text.hasPrefix("/") || text.hasPrefix("./") || text.hasPrefix("../") || text.hasSuffix(".yaml")
      || text.hasSuffix(".yml")
  }

  private func resolution(of nameOrPath: String, patches: [Setting]) throws(Problems) -> Resolution {
    let path: String
    do throws(Problem) { path = try locate(nameOrPath) } catch { throw Problems([error]) }
    failures.withLock { $0 = [:] }
    var resolution = resolve(path, chain: [], askedAt: nil)
    for patch in patches {
      if let extends = patch.entries?.first(where: { $0.key == "extends" }) {
        resolution.note(Problem("'extends' is part of a file, and cannot be set from outside", at: extends.place))
      }
      lay(patch, over: &resolution, chain: [resolution.path])
      // The published number is that of the unchanged model.
      let keys = (patch.entries ?? []).map(\.key)
      if !keys.contains("expected_params"), keys.contains(where: ArchitectureKeys.shaping.contains) {
        resolution.tree["expected_params"] = nil
      }
    }
    if resolution.isBroken { throw resolution.problems }
    return resolution
  }

  // MARK: Files

  /// What the file at `path` says, with everything it extends; `chain` are the files that extend it, outermost first.
  private func resolve(_ path: String, chain: [String], askedAt place: Place?) -> Resolution {
    let identity = catalog.canonicalPaths[path] ?? path
    if let known = resolutions.withLock({ $0[identity] }) ?? failures.withLock({ $0[identity] }) { return known }
    var result = Resolution(
      path: path, identity: identity, family: catalog.family(ofPath: path), choosing: choosingOptions)
    do throws(Problems) {
      let bytes: [UInt8]
      do throws(Problem) { bytes = try SourceFile.read(path, askedAt: place) } catch { throw Problems([error]) }
      let tree = try YAMLReader(source: path).read(bytes)
      guard tree.entries != nil else {
        throw Problems([
          Problem("a specification is a group of keys, not \(tree.kindInWords)", at: tree.place, hint: "key: value")
        ])
      }
      result.place = tree.place
      for base in bases(of: tree, in: path, chain: chain + [path], into: &result) { result.inherit(base) }
      let inheritedFacts = result.tree["facts"]
      var own = tree
      own["extends"] = nil
      lay(own, over: &result, chain: chain + [path])
      result.setHeritage(inheritedFacts: inheritedFacts)
    } catch {
      for problem in error.list { result.note(problem) }
      result.isBroken = true
    }
    if result.isBroken {
      failures.withLock { $0[identity] = result }
    } else {
      resolutions.withLock { $0[identity] = result }
    }
    return result
  }

  /// What the files named under `extends` say.
  private func bases(
    of tree: Setting, in path: String, chain: [String], into result: inout Resolution
  ) -> [Resolution] {
    guard let entry = tree.entries?.first(where: { $0.key == "extends" }) else { return [] }
    let names = entry.value.list ?? [entry.value]
    guard names.count <= Self.chainLimit else {
      result.breakOff(
        Problem("'extends' names \(names.count) files, and at most \(Self.chainLimit) may be", at: entry.place))
      return []
    }
    return names.compactMap { name in
      do throws(Problem) {
        guard let text = name.text else {
          throw Problem(
            "'extends' takes a model's name or a path, not \(name.kindInWords)", at: name.place ?? entry.place)
        }
        return try follow(try self.path(ofBase: text, extendedBy: path, at: name.place), chain: chain, at: name.place)
      } catch {
        result.breakOff(error)
        return nil
      }
    }
  }

  /// What the file at `base` says, which the last of `chain` builds on.
  private func follow(_ base: String, chain: [String], at place: Place?) throws(Problem) -> Resolution {
    let identity = catalog.canonicalPaths[base]
    if let start = chain.firstIndex(where: { catalog.canonicalPaths[$0] == identity }) {
      throw Problem(
        "files extend each other in a circle: \((chain[start...] + [base]).joined(separator: " → "))", at: place)
    }
    guard chain.count < Self.chainLimit else {
      throw Problem("files extend each other more than \(Self.chainLimit) deep", at: place)
    }
    return resolve(base, chain: chain, askedAt: place)
  }

  /// The path of the file that `text` names under `extends` in the file at `path`.
  private func path(ofBase text: String, extendedBy path: String, at place: Place?) throws(Problem) -> String {
    if Self.isPath(text) {
      guard !text.hasPrefix("/") else {
        throw Problem(
          "'extends' takes a model's name or a path beside this file, not an absolute path", at: place)
      }
      let folder = folder(of: path)
      let relative = text.hasPrefix("./") ? String(text.dropFirst(2)) : text
      var base = folder == "." ? relative : folder == "/" ? "/" + relative : "\(folder)/\(relative)"
      if !base.hasSuffix(".yaml"), !base.hasSuffix(".yml") { base += ".yaml" }
      guard !base.utf8.contains(0), kind(ofPath: base) == .file else {
        throw Problem("there is no file '\(text)' to extend", at: place, hint: "looked for \(base)")
      }
      if catalog.contains(path), !catalog.contains(base) {
        throw Problem("'\(text)' leads out of the zoo", at: place, hint: "a file of the zoo extends files of the zoo")
      }
      return base
    }
    if let base = catalog.path(of: text) { return base }
    if text.split(separator: "/", omittingEmptySubsequences: false).contains("..") {
      throw Problem(
        "'\(text)' is neither a name nor a path", at: place, hint: "a path beside this file begins with './' or '../'")
    }
    let besides = folder(of: path) + "/" + text + ".yaml"
    if !text.utf8.contains(0), kind(ofPath: besides) == .file {
      throw Problem("no model is named '\(text)'", at: place, hint: "'./\(text)' is the file beside this one")
    }
    throw Problem(
      "no model is named '\(text)'", at: place, hint: catalog.hint(for: text))
  }

  // MARK: Trees

  /// Lays `patch`, a file's own tree or a change of the caller, over `result`; `chain` ends in the file it belongs to.
  private func lay(_ given: Setting, over result: inout Resolution, chain: [String]) {
    var patch = result.isFragment ? given : given.withTextAtRoot
    if !result.isFragment {
      let unknown = (patch.entries ?? []).lazy.filter { !ArchitectureKeys.root.contains($0.key) }
      for entry in unknown.prefix(100) {
        let slot = Slot(rawValue: entry.key)
        if let path = slot?.optionPath {
          result.note(
            Problem(
              "'\(entry.key)' is an option of the component that uses it", at: entry.place, hint: "it is '\(path)'"))
        } else if let slot, !slot.isOfModel {
          result.note(
            Problem(
              "'\(entry.key)' is not part of a model", at: entry.place,
              hint: "a training run is given it: 'chimera train --\(entry.key)', or 'train' in a study"))
        } else {
          result.note(
            unknownKey(
              entry, in: "a specification", among: ArchitectureKeys.root, elsewhere: ArchitectureKeys.nested,
              terms: terms))
        }
      }
    }
    if !choosingOptions.isEmpty { patch = patch.withTypes(chosenBy: choosingOptions) }
    for (key, _) in ArchitectureKeys.required where !result.isFragment {
      guard let value = patch[key], value.isNull else { continue }
      result.noteNull(under: key, at: value.place)
      patch[key] = nil
    }
    for section in ArchitectureKeys.bindings where !result.isFragment {
      if patch[section]?.isNull ?? false { result.namings[section] = nil }
      guard let entry = patch[section]?.entries?.first(where: { $0.key == "naming" }) else { continue }
      patch[section]?["naming"] = nil
      guard let name = entry.value.text else {
        if !entry.value.isNull {
          result.note(
            Problem("'naming' takes the name of a map, not \(entry.value.kindInWords)", at: entry.value.place))
        }
        continue
      }
      // As with a type: the same map again changes nothing, another one drops what was there.
      if result.namings[section] == name { continue }
      guard let path = catalog.path(of: "\(Catalog.namingFolder)/\(name)") else {
        let near = catalog.nearest(to: "\(Catalog.namingFolder)/\(name)")?.split(separator: "/").last
        result.breakOff(
          Problem(
            "no map of names is called '\(name)'", at: entry.value.place, hint: near.map { "did you mean '\($0)'?" }))
        continue
      }
      do throws(Problem) {
        let preset = try follow(path, chain: chain, at: entry.value.place)
        result.add(preset)
        if let own = patch[section] { patch[section] = result.merge(preset.tree, own, .plain) }
      } catch {
        result.breakOff(error)
      }
      result.tree[section] = nil
      result.namings[section] = name
    }
    result.tree = result.merge(result.tree, patch, result.isFragment ? .plain : .root)
  }
}
