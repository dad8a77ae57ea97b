import Components
import Essentials
import Kernels

/// What the numbers of a stored tensor are of the canonical ones, where they are not the same.
///
/// ```yaml
/// ssm_a: {to: attn.a_log, exact: true, values: minus_exp}
/// ```
enum StoredValues: String, CaseIterable, Sendable {
  /// -eˣ of the canonical x: a decay, of which folders keep the logarithm.
  case minusExp = "minus_exp"

  /// The canonical tensor of `tensor`, which holds stored numbers.
  func canonical(of tensor: StoredTensor) throws(Problem) -> StoredTensor {
    var wrong: Float?
    let result = try tensor.mapped { number in
      guard number < 0 else {
        wrong = wrong ?? number
        return 0
      }
      return log(-number)
    }
    if let wrong { throw Problem("'\(tensor.name)' holds numbers below zero, and here \(wrong)", at: nil) }
    return result
  }

  /// `tensor`, which holds canonical numbers, as it is stored.
  func stored(of tensor: StoredTensor) throws(Problem) -> StoredTensor { try tensor.mapped { -exp($0) } }
}

extension StoredTensor {
  /// The tensor with `change` applied to every number, in f32: what comes of a number of a shorter format need not be one
  /// of its numbers.
  func mapped(_ change: (Float) -> Float) throws(Problem) -> StoredTensor {
    let count = shape.reduce(1, *)
    guard format.elementsPerBlock == 1 else {
      throw Problem("'\(name)' is stored as \(format.rawValue), whose numbers cannot be changed one by one", at: nil)
    }
    guard let buffer = TensorBuffer(byteCount: count * 4) else {
      throw Problem("'\(name)' needs \(count * 4) bytes of memory, which the system has not", at: nil)
    }
    guard let source = bytes.baseAddress, let target = buffer.bytes.baseAddress else { return self }
    let numbers = target.bindMemory(to: Float.self, capacity: count)
    withExtendedLifetime(owner) { widen(format, source, count: count, into: numbers) }
    for index in 0..<count { numbers[index] = change(numbers[index]) }
    return StoredTensor(
      name: name, shape: shape, format: .f32, bytes: UnsafeRawBufferPointer(buffer.bytes), owner: buffer)
  }
}
