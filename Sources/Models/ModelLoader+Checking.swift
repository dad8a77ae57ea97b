import Checkpoints
import Components
import Specification

extension ModelLoader {
  /// Reads everything of `architecture` that composing it does not need: how tensors and configurations are named, and
  /// how conversations are written. Throws every problem at once.
  public func checkBindings(of architecture: Architecture) throws(Problems) {
    var problems = Problems()
    func collect(_ read: () throws(Problems) -> Void) {
      do throws(Problems) { try read() } catch { for problem in error.list { problems.add(problem) } }
    }
    if let section = architecture.checkpoint { collect { () throws(Problems) in _ = try CheckpointMap(section) } }
    if let section = architecture.config {
      collect { () throws(Problems) in _ = try ConfigBinding(section) }
    }
    if let section = architecture.gguf {
      let parts = ConfigBinding.parts(of: section)
      collect { () throws(Problems) in _ = try ConfigBinding(parts.binding) }
      collect { () throws(Problems) in _ = try CheckpointMap(parts.map) }
    }
    if let chat = architecture.chat { collect { () throws(Problems) in _ = try ChatTemplate(chat) } }
    try problems.check()
  }
}
