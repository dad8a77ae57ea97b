import Essentials

/// Writes the folder at `path` whole or not at all.
///
/// `body` is given the path of another folder and writes its files there. That is a sibling, which is then synchronized
/// and renamed to `path`, which must be nothing or an empty folder. Where an empty folder must stay itself (the current
/// one, a mount, one in a folder that is not ours) the other one is inside it, and its files are moved up at the end.
/// When `body` or the system fails, everything is removed. What a process that was killed left behind is removed by the
/// next one that writes the same folder, or by `clearLeftovers`: the other folder's name holds its process, and the
/// process holds a lock on it.
public func writeFolderAtomically(to path: String, _ body: (String) throws -> Void) throws {
  let target = resolved(path)
  let parent = folderAbove(target)
  try makeFolder(parent)
  clearLeftovers(ofFolder: target)
  let isInside = staysItself(target)
  if isInside, try !namesInFolder(target).isEmpty {
    throw FileProblem(path: path, sentence: "cannot put the finished folder in place: it holds something")
  }
  var folder = ""
  var isMade = false
  for _ in 0..<16 where !isMade {
    let name = "\(getpid())-\(String(UInt32.random(in: .min ... .max), radix: 36)).\(leftoverEnding)"
    folder = isInside ? "\(target)/.\(name)" : "\(target).\(name)"
    isMade = mkdir(folder, 0o777) == 0
    if !isMade, errno != EEXIST { break }
  }
  guard isMade else {
    throw FileProblem.ofSystem(path: path, "cannot write in the folder '\(isInside ? target : parent)'")
  }
  // A file system without locks leaves the process's number to go by.
  let lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  if lock >= 0 { flock(lock, LOCK_EX | LOCK_NB) }
  defer { if lock >= 0 { close(lock) } }
  do {
    try body(folder)
    synchronizeFolder(folder)
    if isInside {
      try moveUp(from: folder, to: target)
    } else if rename(folder, target) != 0 {
      throw FileProblem.ofSystem(path: path, "cannot put the finished folder in place")
    }
  } catch {
    if isInside { removeMoved(from: folder, in: target) }
    try? removeFolder(folder)
    throw error
  }
  synchronizeFolder(isInside ? target : parent)
}

/// Removes what processes that are no more left behind of writing the folder at `path`.
public func clearLeftovers(ofFolder path: String) {
  let target = resolved(path)
  let start = (target.split(separator: "/").last.map(String.init) ?? target) + "."
  for (parent, start) in [(folderAbove(target), start), (target, ".")] {
    guard kind(ofPath: parent) == .folder else { continue }
    for name in (try? namesInFolder(parent)) ?? [] where isDead(name, start: start, in: parent) {
      if parent == target { removeMoved(from: parent + "/" + name, in: target) }
      try? removeFolder(parent + "/" + name)
    }
  }
}

private let leftoverEnding = "partial"
/// The names of the files that are being moved out of a folder.
private let moving = ".moving"

/// Whether `name` is a folder that a process which is no more was writing.
private func isDead(_ name: String, start: String, in parent: String) -> Bool {
  guard name.hasPrefix(start), name.hasSuffix("." + leftoverEnding) else { return false }
  let words = name.dropFirst(start.count).dropLast(leftoverEnding.count + 1).split(separator: "-")
  guard words.count == 2, let process = pid_t(words[0]), process > 0 else { return false }
  guard kill(process, 0) != 0, errno == ESRCH else { return false }
  // A process of another container has a number that is unknown here, and a lock.
  let lock = open(parent + "/" + name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard lock >= 0 else { return false }
  defer { close(lock) }
  return flock(lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
}

private func moveUp(from folder: String, to target: String) throws {
  let names = try namesInFolder(folder)
  try writeAtomically(names.joined(separator: "\n"), to: folder + "/" + moving)
  for name in names { try renameItem(folder + "/" + name, to: target + "/" + name) }
  try removeFolder(folder)
}

/// Removes what was moved out of `folder` already.
private func removeMoved(from folder: String, in target: String) {
  guard let file = try? MappedFile(path: folder + "/" + moving) else { return }
  let names = withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
  for name in names.split(separator: "\n") where !name.contains("/") {
    let item = target + "/" + name
    if kind(ofPath: item) == .folder { try? removeFolder(item) } else { try? removeFile(item) }
  }
}

/// Whether the folder at `target` cannot be replaced by another one: it is the current one, a mount, or in a folder that
/// nothing can be written to.
private func staysItself(_ target: String) -> Bool {
  var (own, above, current) = (stat(), stat(), stat())
  guard kind(ofPath: target) == .folder, stat(target, &own) == 0 else { return false }
  guard stat(folderAbove(target), &above) == 0, access(folderAbove(target), W_OK) == 0 else { return true }
  let isCurrent = stat(".", &current) == 0 && own.st_dev == current.st_dev && own.st_ino == current.st_ino
  return isCurrent || own.st_dev != above.st_dev
}

/// `path` without a trailing slash, and where it is a folder already, without links.
private func resolved(_ path: String) -> String {
  if kind(ofPath: path) == .folder, let real = realpath(path, nil) {
    defer { free(real) }
    return String(cString: real)
  }
  var path = path[...]
  while path.count > 1, path.last == "/" { path.removeLast() }
  return String(path)
}

private func folderAbove(_ path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
