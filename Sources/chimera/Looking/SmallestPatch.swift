import Components
import Composition
import Describing
import Models
import Specification

/// Finds the smallest patch that makes one model's architecture out of another's, by leaving out what has no effect.
struct SmallestPatch {
  let models: ModelLoader
  /// What the patch is laid over, as a user names it.
  let base: String
  let target: ModelSheet

  /// The patch; nil when no patch over `base` composes the target, because a file cannot say it.
  func find(from architecture: Architecture) -> Setting? {
    var patch = ArchitectureDiff.patch(from: architecture, to: target.architecture)
    guard composesTarget(patch) else { return nil }
    // Later lines often follow from earlier ones, as widths do from sizes, so they go first.
    for path in leaves(of: patch, under: "").reversed() {
      var smaller = patch
      smaller.removeLeaf(path)
      if composesTarget(smaller) { patch = smaller }
    }
    return patch
  }

  private func composesTarget(_ patch: Setting) -> Bool {
    guard let made = try? models.describe(base, patches: [patch]) else { return false }
    return made.plan.shape == target.plan.shape && made.choices.isEquivalent(to: target.choices)
  }

  /// The paths of what `setting` sets. What layers differ in belongs together, so `layers` is cut no finer than its keys.
  private func leaves(of setting: Setting, under path: String) -> [String] {
    guard let entries = setting.entries, !entries.isEmpty, !path.hasPrefix("layers.") else { return [path] }
    return entries.flatMap { leaves(of: $0.value, under: path.isEmpty ? $0.key : "\(path).\($0.key)") }
  }
}

extension Setting {
  /// Takes away what stands at `path`, and the groups that are empty then.
  fileprivate mutating func removeLeaf(_ path: String) {
    guard let dot = path.firstIndex(of: ".") else {
      self[path] = nil
      return
    }
    let key = String(path[..<dot])
    guard var inner = self[key] else { return }
    inner.removeLeaf(String(path[path.index(after: dot)...]))
    self[key] = inner.entries?.isEmpty == true ? nil : inner
  }
}
