import Components
import Formats

/// A tensor that a checkpoint holds as several, whose rows stand by turns in it: of each group those of the first, then those
/// of the next.
///
/// ```yaml
/// attn_kv_b: {to: attn.kv_b, joins: {attn_k_b: h in k, attn_v_b: h v in}}
/// ```
///
/// Each is stored as `[groups, rows, columns]` or, where `in` stands before the rows, as `[groups, columns, rows]`. Numbers keep
/// their format where all have the same and it has no blocks, and else are f32.
struct JoinedTensor: Sendable {
  /// One of the stored tensors, as a rule names it.
  struct Part: Sendable {
    let stored: TensorNamePattern
    /// The names of the groups and of the rows, which `axes` may count.
    let groups: String
    let rows: String
    /// Whether columns stand before rows.
    let isTransposed: Bool

    /// The part `name`, whose stored axes are `layout`.
    init(_ name: String, layout: Setting, storedPrefix: String) throws(Problem) {
      let words = (layout.text ?? "").split(separator: " ").map(String.init)
      guard words.count == 3, words.dropFirst().filter({ $0 == "in" }).count == 1 else {
        throw Problem(
          "'\(name)' is joined by the axes '\(layout.text ?? layout.kindInWords)'; expected groups, rows and 'in'",
          at: layout.place, hint: "'h v in' are h groups of v rows, and 'h in k' are groups whose columns come first")
      }
      stored = TensorNamePattern(storedPrefix + name)
      (groups, isTransposed) = (words[0], words[1] == "in")
      rows = isTransposed ? words[2] : words[1]
    }
  }

  let name: String
  private let parts: [(entry: StoredTensorEntry, part: Part)]
  private let groups: Int
  private let columns: Int
  /// The rows of a group.
  private let rows: [Int]

  /// The tensor `name` of `entries`, or what is wrong with them; `count` gives the number of a named axis.
  init(
    _ name: String, _ parts: [Part], of entries: [StoredTensorEntry], count: (String) -> Int?
  ) throws(Problem) {
    func shape(_ entry: StoredTensorEntry, _ part: Part) -> [Int] {
      let shape = entry.shape
      return shape.count == 3 ? part.isTransposed ? [shape[0], shape[2], shape[1]] : shape : []
    }
    self.name = name
    self.parts = zip(entries, parts).map { ($0, $1) }
    let shapes = self.parts.map { shape($0.entry, $0.part) }
    (groups, columns) = shapes.first { !$0.isEmpty }.map { ($0[0], $0[2]) } ?? (0, 0)
    rows = shapes.map { $0.isEmpty ? 0 : $0[1] }
    for ((entry, part), shape) in zip(self.parts, shapes) {
      let isCounted =
        !shape.isEmpty && (count(part.groups) ?? shape[0]) == shape[0] && (count(part.rows) ?? shape[1]) == shape[1]
      guard isCounted, shape[0] == groups, shape[2] == columns else {
        throw Problem(
          "'\(entry.name)' \(entry.shape) is not '\(part.groups) \(part.isTransposed ? "in \(part.rows)" : "\(part.rows) in")'"
            + " of '\(name)'\(entries.first.map { $0.name == entry.name ? "" : ", which is also in '\($0.name)' \($0.shape)" } ?? "")",
          at: nil)
      }
      guard entry.format != nil else {
        throw Problem("'\(entry.name)' is \(entry.typeName), of which no tensor is joined", at: nil)
      }
    }
  }

  /// The format that the numbers have then.
  var format: StorageFormat {
    let formats = Set(parts.compactMap(\.entry.format))
    guard let format = formats.first, formats.count == 1, format.elementsPerBlock == 1 else { return .f32 }
    return format
  }

  /// What a checkpoint that held it whole would list; its bytes are those of `make`.
  var entry: StoredTensorEntry? {
    guard let first = parts.first?.entry else { return nil }
    return StoredTensorEntry(
      name: name, typeName: format.rawValue, format: format, shape: [groups * rows.reduce(0, +), columns],
      range: first.range, file: first.file)
  }

  /// The names of what it is made of.
  var names: [String] { parts.map(\.entry.name) }

  /// The tensor in memory of its own; throws when there is none.
  func make() throws(Problem) -> StoredTensor {
    let (format, height) = (format, rows.reduce(0, +))
    let size = format.bytesPerBlock
    guard let buffer = TensorBuffer(byteCount: groups * height * columns * size) else {
      throw Problem(
        "'\(name)' needs \(groups * height * columns * size) bytes of memory, which the system has not", at: nil)
    }
    var offset = 0
    for ((entry, part), rows) in zip(parts, rows) {
      let wide: StoredTensor
      do { wide = try StoredTensor(entry, named: entry.name).stored(as: format) } catch {
        throw Problem("'\(entry.name)' cannot be read: \(error)", at: nil)
      }
      withExtendedLifetime((wide.owner, entry.file)) {
        guard let source = wide.bytes.baseAddress, let target = buffer.bytes.baseAddress else { return }
        for group in 0..<groups {
          let from = source + group * rows * columns * size
          let to = target + (group * height + offset) * columns * size
          guard part.isTransposed else {
            to.copyMemory(from: from, byteCount: rows * columns * size)
            continue
          }
          for row in 0..<rows {
            for column in 0..<columns {
              (to + (row * columns + column) * size)
                .copyMemory(from: from + (column * rows + row) * size, byteCount: size)
            }
          }
        }
      }
      offset += rows
    }
    return StoredTensor(
      name: name, shape: [groups * height, columns], format: format, bytes: UnsafeRawBufferPointer(buffer.bytes),
      owner: buffer)
  }
}
