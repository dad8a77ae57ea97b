import Checkpoints
import Components
import Files
import Formats
import Kernels
import Tokenization

/// A GGUF file that was written: how its tensors are stored, and how far that is from what they were.
public struct WrittenGGUF: Sendable {
  /// For each format the number of tensors and their numbers, and the sums of squares of what they were and of their errors.
  public struct Share: Sendable {
    public fileprivate(set) var tensors = 0
    public fileprivate(set) var numbers = 0
    fileprivate var squares = 0.0
    fileprivate var errors = 0.0

    /// The root of the mean squared error over that of the mean square; 0 where nothing was rounded.
    public var relativeError: Double { squares > 0 ? (errors / squares).squareRoot() : 0 }
  }

  /// The shares by format.
  public fileprivate(set) var shares: [StorageFormat: Share] = [:]
  /// The bytes of all tensors.
  public fileprivate(set) var bytes = 0
  /// What could not be carried over.
  public fileprivate(set) var notes: [String] = []

  /// The share of everything.
  public var total: Share {
    shares.values.reduce(into: Share()) {
      $0.tensors += $1.tensors
      $0.numbers += $1.numbers
      $0.squares += $1.squares
      $0.errors += $1.errors
    }
  }
}

extension ModelLoader {
  /// Saves a model as a GGUF file at `path`, whole or not at all: as llama.cpp's converter names and lays out its family's
  /// tensors, with its vocabulary and its chat template; matrices stored as `mix` says, or as they are.
  ///
  /// One tensor is in memory at a time. Throws `Problems` when the family's file does not say how it is written as GGUF.
  public func saveGGUF(_ described: ModelDescription, to path: String, as mix: QuantizationMix?) throws -> WrittenGGUF {
    let container = try container(of: described)
    let match: CheckpointMatch
    do { match = try self.match(described) } catch let problems as Problems {
      throw problems.naming(described.source.path)
    }
    let load = try tensors(of: described, from: match, container)
    let formats = try formats(of: container, match, mix, described)
    var written = WrittenGGUF()
    var tensors: [GGUFTensor] = []
    for (tensor, format) in zip(container.tensors, formats) {
      written.bytes += format.byteCount(elements: tensor.shape.reduce(1, *)) ?? 0
      tensors.append(
        GGUFTensor(name: tensor.name, shape: tensor.shape, format: format) {
          let made = try tensor.make { name throws(Problems) in try load(name) }
          let stored = try made.stored(as: format)
          written.add(made, as: stored)
          return stored
        })
    }
    for name in container.numbers.keys.sorted() {
      let values = (container.numbers[name] ?? []).map { Float($0) }
      tensors.append(
        GGUFTensor(name: name, shape: [values.count], format: .f32) {
          StoredTensor(name: name, shape: [values.count], numbers: values)
        })
    }
    let vocabulary = try vocabulary(of: described, besides: path)
    let kind = mix ?? QuantizationMix(mostUsed(formats, container.tensors)) ?? .F32
    var metadata: [(key: String, value: GGUFValue)] = [
      ("general.architecture", .string(container.kind)), ("general.type", .string("model")),
      ("general.name", .string(described.architecture.name)),
      ("general.file_type", .integer(kind.number)), ("general.quantization_version", .integer(2)),
    ]
    metadata += container.metadata
    let keys = Set(metadata.map(\.key))
    // Readers take the width of queries for that of values only where both are the residual stream's over the heads.
    if let width = metadata.first(where: { $0.key == container.kind + ".attention.key_length" })?.value,
      !keys.contains(container.kind + ".attention.value_length")
    {
      metadata.append((container.kind + ".attention.value_length", width))
    }
    if !keys.contains(container.kind + ".vocab_size") {
      metadata.append((container.kind + ".vocab_size", .integer(described.plan.shape.vocabSize)))
    }
    try GGUFFile.write(making: tensors, metadata: metadata + vocabulary.metadata, to: path)
    written.notes = vocabulary.notes
    return written
  }

  /// The canonical tensors as the container has them, changed by an adapter, one at a time.
  private func tensors(
    of described: ModelDescription, from match: CheckpointMatch, _ container: ContainerModel
  ) throws -> (String) throws(Problems) -> StoredTensor? {
    let load = match.loader()
    let pool = ThreadPool(threads: ThreadPool.preferredThreadCount())
    let (folder, restorations) = try asFolder(described)
    let own = try folderRows(folder, restorations)
    return { name throws(Problems) in
      guard var tensor = try load(name) else { return nil }
      do {
        if let adapter = described.adapter {
          var tensors = [name: tensor]
          try adapter.merge(into: &tensors, keepsFormats: false, pool: pool) { try own.moved($0, .toContainer) }
          tensor = tensors[name] ?? tensor
        }
        return try container.rows.moved(tensor, .toContainer)
      } catch let problems as Problems {
        throw problems
      } catch let problem as Problem {
        throw Problems([problem])
      } catch {
        throw Problems([Problem("'\(name)' cannot be made: \(error)", at: nil)])
      }
    }
  }

  /// How each tensor is stored: as the mix says, or as it is, but for what readers take in f32 alone.
  private func formats(
    of container: ContainerModel, _ match: CheckpointMatch, _ mix: QuantizationMix?, _ described: ModelDescription
  ) throws -> [StorageFormat] {
    let named = container.tensors.map { ($0.name, $0.shape) }
    let experts = container.metadata.first { $0.key == container.kind + ".expert_count" }?.value.integer ?? 0
    if let mix { return mix.formats(of: named, experts: experts) }
    let plain = QuantizationMix.F16.formats(of: named, experts: experts)
    return zip(container.tensors, plain).map { tensor, format in
      format == .f32 ? .f32 : match.format(of: tensor.parts[0][0]) ?? .f32
    }
  }

  private func mostUsed(_ formats: [StorageFormat], _ tensors: [TensorToSave]) -> StorageFormat {
    var counts: [StorageFormat: Int] = [:]
    for (format, tensor) in zip(formats, tensors) { counts[format, default: 0] += tensor.shape.reduce(1, *) }
    return StorageFormat.allCases.max { counts[$0, default: 0] < counts[$1, default: 0] } ?? .f32
  }
}

extension WrittenGGUF {
  /// Counts a tensor, which was `before` and is `after`.
  fileprivate mutating func add(_ before: StoredTensor, as after: StoredTensor) {
    let count = before.shape.reduce(1, *)
    var share = shares[after.format] ?? Share()
    share.tensors += 1
    share.numbers += count
    defer { shares[after.format] = share }
    guard before.format != after.format, let from = before.bytes.baseAddress, let to = after.bytes.baseAddress else {
      return
    }
    let step = 1 << 14  // whole blocks of every format
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * step) { memory in
      guard let x = memory.baseAddress else { return }
      let y = x + step
      for start in stride(from: 0, to: count, by: step) {
        let part = min(step, count - start)
        widen(
          before.format, from + start / before.format.elementsPerBlock * before.format.bytesPerBlock, count: part,
          into: x)
        widen(
          after.format, to + start / after.format.elementsPerBlock * after.format.bytesPerBlock, count: part, into: y)
        for i in 0..<part {
          let (value, error) = (Double(x[i]), Double(y[i]) - Double(x[i]))
          share.squares += value * value
          share.errors += error * error
        }
      }
    }
  }
}
