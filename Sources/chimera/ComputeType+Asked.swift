import Essentials
import Kernels

extension ComputeType {
  /// What a command multiplies matrices in: f32 with `--exact`, else what `CHIMERA_ARITHMETIC` says, else the
  /// arithmetic of the stored formats. Throws where the variable says something else.
  static func asked(exact: Bool) throws -> ComputeType {
    if exact { return .f32 }
    switch ProcessInfo.processInfo.environment["CHIMERA_ARITHMETIC"] ?? "" {
    case "", "stored": return .stored
    case "f32", "exact": return .f32
    case "bf16": return .bf16
    case let word: throw Failure(.usage, "CHIMERA_ARITHMETIC takes exact, stored or bf16, not '\(word)'")
    }
  }
}
