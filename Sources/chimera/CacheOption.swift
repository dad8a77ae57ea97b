import Formats
import ArgumentParser
import Components
import Kernels

/// The storage format of the KV cache, for commands that fill it or say what it takes.
struct CacheOption: ParsableArguments {
  @Option(help: "KV cache format: f32, f16, bf16, q8_0.") var cache = "f32"

  func validate() throws {
    if StorageFormat(rawValue: cache).map(PlannedState.formats.contains) != true {
      let known = PlannedState.formats.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--cache takes one of \(known), not '\(cache)'")
    }
  }

  /// The format that is asked for.
  var format: StorageFormat { StorageFormat(rawValue: cache) ?? .f32 }
}
