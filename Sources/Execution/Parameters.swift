import Formats
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
  /// Matrices are used where they lie; vectors are widened to `Float`. Several matrices that are one planned tensor may
  /// be stored each by itself or, under the planned name, together. Throws when one is missing or has another shape.
  public init(_ plan: Plan, stored: [String: StoredTensor]) throws(ExecutionProblem) {
    var bound: [Parameter] = []
    var owners: [AnyObject] = []
    var own: [FloatBuffer?] = []
    for tensor in plan.parameters {
      let copy = tensor.use == .vector ? try FloatBuffer(count: tensor.count) : nil
      var matrices: [WeightMatrix] = []
      for (index, part) in (stored[tensor.name.text] == nil ? tensor.members : [tensor]).enumerated() {
        guard let found = stored[part.name.text] else { throw .missingTensor(part.name.text) }
        guard found.shape == part.shape, let base = found.bytes.baseAddress else {
          throw .wrongShape(part.name.text, found: found.shape, expected: part.shape)
        }
        if let copy {
          widen(found.format, base, count: part.count, into: copy.base + index * part.count)
        } else if UInt(bitPattern: base) % 4 != 0 {  // a file may place numbers at any byte
          let moved = try FloatBuffer(count: part.count)
          widen(found.format, base, count: part.count, into: moved.base)
          matrices.append(part.matrix(at: moved.base))
          owners.append(moved)
        } else {
          matrices.append(part.matrix(at: base, format: found.format))
          owners.append(found.owner)
        }
      }
      if let copy { matrices = [tensor.matrix(at: copy.base)] }
      bound.append(tensor.parameter(over: matrices, owners: &owners))
      own.append(copy)
    }
    self.bound = bound
    self.owners = owners
    self.own = own
  }

  /// The frozen tensors of `plan` as `stored` has them, by canonical name, and all others as they start. All are f32 and in
  /// memory of their own. Throws when one is missing or has another shape.
  public convenience init(_ plan: Plan, frozen stored: [String: StoredTensor], seed: UInt64) throws(ExecutionProblem) {
    try self.init(plan, seed: seed)
    for (index, tensor) in plan.parameters.enumerated() where tensor.isFrozen {
      guard var numbers = mutable(index)?.baseAddress else { continue }
      for part in stored[tensor.name.text] == nil ? tensor.members : [tensor] {
        guard let found = stored[part.name.text] else { throw .missingTensor(part.name.text) }
        guard found.shape == part.shape, let base = found.bytes.baseAddress else {
          throw .wrongShape(part.name.text, found: found.shape, expected: part.shape)
        }
        withExtendedLifetime(found.owner) { widen(found.format, base, count: part.count, into: numbers) }
        numbers += part.count
      }
    }
  }

  /// Tensors as they start: each drawn from a generator seeded by `seed` and its own name, so that tensors that two
  /// models share start alike.
  public init(_ plan: Plan, seed: UInt64) throws(ExecutionProblem) {
    var bound: [Parameter] = []
    var owners: [AnyObject] = []
    var own: [FloatBuffer?] = []
    for tensor in plan.parameters {
      let buffer = try FloatBuffer(count: tensor.count)
      if tensor.count >= 1 << 20 { buffer.useHugePages() }  // two of them at least
      switch tensor.initialization {
      case .zeros: break
      case .constant(let value): buffer.base.update(repeating: Float(value), count: tensor.count)
      case .normal(let deviation):
        var generator = NormalGenerator(seed: seed, name: tensor.name.text)
        for i in 0..<tensor.count { buffer.base[i] = Float(deviation * generator.next()) }
      case .uniform(let limit):
        var generator = NormalGenerator(seed: seed, name: tensor.name.text)
        for i in 0..<tensor.count { buffer.base[i] = Float(limit * (2 * generator.uniform() - 1)) }
      case .each(let numbers):
        precondition(
          numbers.count == tensor.count, "\(tensor.name) starts with \(numbers.count) of \(tensor.count) numbers")
        for (i, number) in numbers.enumerated() { buffer.base[i] = Float(number) }
      }
      bound.append(tensor.parameter(over: [tensor.matrix(at: buffer.base)], owners: &owners))
      own.append(buffer)
    }
    self.bound = bound
    self.own = own
    self.owners = owners
  }

  /// The numbers of tensor `index`, to change; nil when they lie in a file.
  public func mutable(_ index: Int) -> UnsafeMutableBufferPointer<Float>? {
    own[index].map { UnsafeMutableBufferPointer(start: $0.base, count: $0.count) }
  }

  /// Tensor `index` as a step sees it.
  public func parameter(_ index: Int) -> Parameter { bound[index] }

  /// The numbers of tensor `index`, widened to `Float`.
  public func values(_ index: Int) -> [Float] {
    let matrices = matrices(index)
    let count = matrices.reduce(0) { $0 + $1.rows * $1.columns }
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      for matrix in matrices {
        guard let base = buffer.baseAddress else { break }
        let numbers = matrix.rows * matrix.columns
        widen(matrix.format, matrix.base, count: numbers, into: base + initialized)
        initialized += numbers
      }
    }
  }

  /// Bytes that the tensors take in their stored formats.
  public var byteCount: Int { bound.indices.reduce(0) { $0 + byteCount(of: $1) } }

  /// Bytes that tensor `index` takes in its stored format.
  public func byteCount(of index: Int) -> Int {
    matrices(index).reduce(0) { $0 + ($1.format.byteCount(elements: $1.rows * $1.columns) ?? 0) }
  }

  /// The format that tensor `index` is stored in; of several, the first.
  public func format(of index: Int) -> StorageFormat { bound[index].matrix.format }

  /// The matrices of tensor `index`: one, or each of several.
  private func matrices(_ index: Int) -> [WeightMatrix] {
    let parameter = bound[index]
    return (0..<parameter.memberCount).map { parameter.member($0) }
  }
}

extension PlannedTensor {
  /// The tensor as a matrix at `base`: all axes but the last are its rows.
  fileprivate func matrix(at base: UnsafeRawPointer, format: StorageFormat = .f32) -> WeightMatrix {
    let columns = shape.last ?? 1
    return WeightMatrix(base: base, format: format, rows: columns == 0 ? 0 : count / columns, columns: columns)
  }

  /// The tensor over its matrix, or over each of several, which may lie one after the other as one matrix. The table of
  /// several joins `owners`.
  fileprivate func parameter(over matrices: [WeightMatrix], owners: inout [AnyObject]) -> Parameter {
    guard chosen != nil, use == .matrix else { return Parameter(matrices[0]) }
    var members = matrices
    if let whole = matrices.first, matrices.count == 1 {
      let rows = whole.rows / shape[0]
      members = (0..<shape[0]).map {
        WeightMatrix(
          base: whole.base + $0 * rows * whole.rowBytes, format: whole.format, rows: rows, columns: whole.columns)
      }
    }
    let table = MatrixTable(members)
    owners.append(table)
    return Parameter(members: UnsafeBufferPointer(table.matrices))
  }
}

/// The matrices of several tensors.
private final class MatrixTable {
  let matrices: UnsafeMutableBufferPointer<WeightMatrix>

  init(_ members: [WeightMatrix]) {
    matrices = .allocate(capacity: members.count)
    _ = matrices.initialize(from: members)
  }

  deinit { matrices.deallocate() }
}
