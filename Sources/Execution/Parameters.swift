import Components
import Kernels

/// The learned tensors of a plan, bound to memory: matrices as they are stored, vectors as `Float`.
public final class Parameters: @unchecked Sendable {
  // Sendable although it holds pointers: tensors are written only through `mutable`, by whoever trains.

  /// The tensors in the plan's order.
  let bound: [Parameter]
  private let owners: [AnyObject]
  private let own: [FloatBuffer?]

  /// The tensors of `stored`, by canonical name, for `plan`.
  ///
  /// Matrices are used where they lie; vectors are widened to `Float`. Throws when one is missing or has another shape.
  public init(_ plan: Plan, stored: [String: StoredTensor]) throws(ExecutionProblem) {
    var bound: [Parameter] = []
    var owners: [AnyObject] = []
    var own: [FloatBuffer?] = []
    for tensor in plan.parameters {
      guard let found = stored[tensor.name] else { throw .missingTensor(tensor.name) }
      guard found.shape == tensor.shape, let base = found.bytes.baseAddress else {
        throw .wrongShape(tensor.name, found: found.shape, expected: tensor.shape)
      }
      let mustMove = UInt(bitPattern: base) % 4 != 0  // a file may place numbers at any byte
      if tensor.use == .vector || mustMove {
        let buffer = try FloatBuffer(count: tensor.count)
        widen(found.format, base, count: tensor.count, into: buffer.base)
        bound.append(Parameter(tensor.matrix(at: buffer.base)))
        own.append(buffer)
      } else {
        bound.append(Parameter(tensor.matrix(at: base, format: found.format)))
        owners.append(found.owner)
        own.append(nil)
      }
    }
    self.bound = bound
    self.owners = owners
    self.own = own
  }

  /// Tensors as they start: each drawn from a generator seeded by `seed` and its own name, so that tensors that two
  /// models share start alike.
  public init(_ plan: Plan, seed: UInt64) throws(ExecutionProblem) {
    var bound: [Parameter] = []
    var own: [FloatBuffer?] = []
    for tensor in plan.parameters {
      let buffer = try FloatBuffer(count: tensor.count)
      switch tensor.initialization {
      case .zeros: break
      case .constant(let value): buffer.base.update(repeating: Float(value), count: tensor.count)
      case .normal(let deviation):
        var generator = NormalGenerator(seed: seed, name: tensor.name)
        for i in 0..<tensor.count { buffer.base[i] = Float(deviation * generator.next()) }
      }
      bound.append(Parameter(tensor.matrix(at: buffer.base)))
      own.append(buffer)
    }
    self.bound = bound
    self.own = own
    owners = []
  }

  /// The numbers of tensor `index`, to change; nil when they lie in a file.
  public func mutable(_ index: Int) -> UnsafeMutableBufferPointer<Float>? {
    own[index].map { UnsafeMutableBufferPointer(start: $0.base, count: $0.count) }
  }

  /// The numbers of tensor `index`, widened to `Float`.
  public func values(_ index: Int) -> [Float] {
    let matrix = bound[index].matrix
    let count = matrix.rows * matrix.columns
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let base = buffer.baseAddress { widen(matrix.format, matrix.base, count: count, into: base) }
      initialized = count
    }
  }

  /// Bytes that the tensors take in their stored formats.
  public var byteCount: Int { bound.indices.reduce(0) { $0 + byteCount(of: $1) } }

  /// Bytes that tensor `index` takes in its stored format.
  public func byteCount(of index: Int) -> Int {
    let matrix = bound[index].matrix
    return matrix.format.byteCount(elements: matrix.rows * matrix.columns) ?? 0
  }

  /// The format that tensor `index` is stored in.
  public func format(of index: Int) -> StorageFormat { bound[index].matrix.format }
}

extension PlannedTensor {
  /// The tensor as a matrix at `base`: all axes but the last are its rows.
  fileprivate func matrix(at base: UnsafeRawPointer, format: StorageFormat = .f32) -> WeightMatrix {
    let columns = shape.last ?? 1
    return WeightMatrix(base: base, format: format, rows: columns == 0 ? 0 : count / columns, columns: columns)
  }
}
