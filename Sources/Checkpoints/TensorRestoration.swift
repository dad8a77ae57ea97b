import Components
import Formats
import Kernels

/// How tensors that a container stores in its own way are brought back to how folders have them, for one fact that the
/// family's `set` says of the container.
///
/// ```yaml
/// restore:
///   position.pairing: {attn.q: [attention.num_heads, position.dim], attn.k: [attention.num_kv_heads, position.dim]}
///   norm.unit_offset: {"*norm.weight": -1}
/// ```
///
/// A number is added to every number of the tensors that the name fits. A path counts the heads whose rows were moved,
/// and a second one the rows of a head that were: row 2i + s of a head goes to row s·(rows / 2) + i, for i < rows / 2 and
/// s = 0, 1. That undoes what converters do for rotations of neighbours: `reshape(heads, 2, rows / 2, columns)` and a
/// change of the two axes in the middle (`LlamaModel.permute` in ggml-org/llama.cpp `convert_hf_to_gguf.py`, 2026).
public struct TensorRestoration: Sendable {
  /// The path in the spec of what `set` says of the container, and what holds no more afterwards.
  public let fact: String
  private let rules: [(name: String, change: Change)]

  private enum Change {
    case add(Float)
    case pairs(heads: String, rows: String?)
  }

  init(_ entry: Setting.Entry) throws(Problem) {
    fact = entry.key
    var rules: [(name: String, change: Change)] = []
    for rule in entry.value.entries ?? [] {
      let texts = (rule.value.list ?? [rule.value]).compactMap(\.text)
      if let number = rule.value.number {
        rules.append((rule.key, .add(Float(number))))
      } else if (1...2).contains(texts.count), texts.count == rule.value.list?.count ?? 1 {
        rules.append((rule.key, .pairs(heads: texts[0], rows: texts.count == 2 ? texts[1] : nil)))
      } else {
        throw Problem(
          "'\(rule.key)' is \(rule.value.kindInWords); expected a number to add, or the path of a number of heads",
          at: rule.place)
      }
    }
    guard !rules.isEmpty else {
      throw Problem("'restore' says nothing of tensors for '\(entry.key)'", at: entry.place)
    }
    self.rules = rules
  }

  /// Which way a tensor is changed.
  public enum Direction: Sendable { case toFolder, toContainer }

  /// `tensor` as folders have it, or as the container has it; `count` gives the number at a path of the spec.
  public func apply(
    to tensor: StoredTensor, _ direction: Direction, count: (String) -> Int?
  ) throws(Problem) -> StoredTensor {
    var name = tensor.name.split(separator: ".")
    if name.first == "layers" { name.removeFirst(2) }
    let full = name.joined(separator: ".")
    let short = ["weight", "bias"].contains(name.last) ? name.dropLast().joined(separator: ".") : full
    for rule in rules
    where ConfigBinding.fits(full[...], rule.name[...]) || ConfigBinding.fits(short[...], rule.name[...]) {
      switch rule.change {
      case .add(let number): return try tensor.mapped { $0 + (direction == .toFolder ? number : -number) }
      case .pairs(let headsPath, let rowsPath):
        let rows = tensor.shape.first ?? 0
        guard let heads = count(headsPath), heads > 0, rows % heads == 0 else {
          throw Problem("'\(tensor.name)' \(tensor.shape) has no rows for each of '\(headsPath)'", at: nil)
        }
        return try separating(rowsPath.flatMap(count) ?? rows / heads, of: rows / heads, in: tensor, direction)
      }
    }
    return tensor
  }

  private func separating(
    _ paired: Int, of rows: Int, in tensor: StoredTensor, _ direction: Direction
  ) throws(Problem) -> StoredTensor {
    let count = tensor.shape.reduce(1, *)
    let allRows = tensor.shape.first ?? 0
    guard allRows > 0, count > 0 else { return tensor }
    guard paired % 2 == 0, paired <= rows, let rowBytes = tensor.format.byteCount(elements: count / allRows) else {
      throw Problem(
        "the \(rows) rows of a head of '\(tensor.name)' cannot be moved back: \(paired) of them are said to turn",
        at: nil)
    }
    let buffer = try Self.buffer(tensor.bytes.count, tensor.name)
    withExtendedLifetime(tensor.owner) {
      for row in 0..<allRows {
        let (head, own) = (row / rows * rows, row % rows)
        let moved = head + (own < paired ? own % 2 * (paired / 2) + own / 2 : own)
        let (to, from) = direction == .toFolder ? (moved, row) : (row, moved)
        UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[to * rowBytes..<(to + 1) * rowBytes])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: tensor.bytes[from * rowBytes..<(from + 1) * rowBytes]))
      }
    }
    return StoredTensor(
      name: tensor.name, shape: tensor.shape, format: tensor.format, bytes: UnsafeRawBufferPointer(buffer.bytes),
      owner: buffer)
  }

  private static func buffer(_ byteCount: Int, _ name: String) throws(Problem) -> TensorBuffer {
    guard let buffer = TensorBuffer(byteCount: byteCount) else {
      throw Problem("'\(name)' needs \(byteCount) bytes of memory, which the system has not", at: nil)
    }
    return buffer
  }
}
