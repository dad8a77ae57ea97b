import Essentials
import Files

extension SharedCache {
  /// Makes the cache's folder and the one of `repository`, and tells programs that make backups to pass it over
  /// (https://bford.info/cachedir/).
  public func prepare(_ repository: RepositoryName) throws(FileProblem) {
    try makeFolder(folder(of: repository) + "/blobs")
    let tag = root + "/CACHEDIR.TAG"
    guard kind(ofPath: tag) == .nothing else { return }
    let text = """
      Signature: 8a477f597d28d172789f06886806bc55
      # This file is a cache directory tag created by huggingface_hub.
      # For information about cache directory tags see https://bford.info/cachedir/

      """
    // Without it the cache is as good.
    try? writeAtomically(text, to: tag)
  }

  /// Notes what `repository` holds at a commit.
  public func note(_ listing: RepositoryListing, of repository: RepositoryName) throws {
    let folder = folder(of: repository) + "/trees"
    try makeFolder(folder)
    try writeAtomically(listing.json.serialized(pretty: true) + "\n", to: "\(folder)/\(listing.commit).json")
  }

  /// Shows `files`, whose bytes are in the cache, in the snapshot of `commit`, notes that those at `absent` are not in the
  /// repository, and lets `revision` mean the commit.
  ///
  /// The last is what a reader asks first: until then it finds what was there before.
  public func place(
    _ files: [RepositoryFile], absent: [String], of repository: RepositoryName, at commit: String, as revision: String?
  ) throws {
    let snapshot = snapshotFolder(of: repository, at: commit)
    for file in files { try place(file, in: snapshot, of: repository) }
    for path in absent where RepositoryFile.isPath(path) {
      let marker = folder(of: repository) + "/.no_exist/\(commit)/\(path)"
      guard kind(ofPath: marker) == .nothing else { continue }
      try makeFolder(String(marker[..<(marker.lastIndex(of: "/") ?? marker.endIndex)]))
      try writeAtomically("", to: marker)
    }
    guard let revision, revision != commit else { return }
    let reference = folder(of: repository) + "/refs/" + revision
    guard (try? String(contentsOfFile: reference, encoding: .utf8)) != commit else { return }
    try makeFolder(String(reference[..<(reference.lastIndex(of: "/") ?? reference.endIndex)]))
    try writeAtomically(commit, to: reference)
  }

  private func place(_ file: RepositoryFile, in snapshot: String, of repository: RepositoryName) throws {
    let place = snapshot + "/" + file.path
    let depth = file.path.utf8.count { $0 == UInt8(ascii: "/") }
    let target = String(repeating: "../", count: depth + 2) + "blobs/" + file.hash
    try makeFolder(String(place[..<(place.lastIndex(of: "/") ?? place.endIndex)]))
    if avoidsLinks {
      guard size(ofFile: place) != file.size else { return }
      return try copy(folder(of: repository) + "/blobs/" + file.hash, to: place)
    }
    if (try? FileManager.default.destinationOfSymbolicLink(atPath: place)) == target { return }
    do throws(FileProblem) {
      try placeLink(at: place, to: target)
    } catch {
      // A file system without links holds a copy, as with HF_HUB_DISABLE_SYMLINKS.
      try copy(folder(of: repository) + "/blobs/" + file.hash, to: place)
    }
  }

  /// The bytes of a file under a second name, without a second copy where the file system can.
  private func copy(_ source: String, to place: String) throws {
    let temporary = place + ".\(getpid()).tmp"
    unlink(temporary)
    if link(source, temporary) == 0 {
      do { try renameItem(temporary, to: place) } catch {
        unlink(temporary)
        throw error
      }
      return
    }
    let file = try MappedFile(path: source)
    try withExtendedLifetime(file) {
      try writeAtomically(to: place) { writer in
        for start in stride(from: 0, to: file.bytes.count, by: 8 << 20) {
          let end = min(file.bytes.count, start + 8 << 20)
          try writer.write(UnsafeRawBufferPointer(rebasing: file.bytes[start..<end]))
          file.adviseUnneeded(start..<end)
        }
      }
    }
  }

  /// Bytes that can still be written where the cache is; nil when the system does not say.
  public var freeBytes: Int? {
    var place = root
    while kind(ofPath: place) != .folder, let slash = place.lastIndex(of: "/") { place = String(place[..<slash]) }
    var status = statvfs()
    guard statvfs(place.isEmpty ? "/" : place, &status) == 0 else { return nil }
    let (bytes, overflow) = Int(status.f_bavail).multipliedReportingOverflow(by: Int(status.f_frsize))
    return overflow ? nil : bytes
  }
}
