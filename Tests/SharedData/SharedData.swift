import Foundation
import Testing

/// The data that stands beside the package where the project is developed: fixtures of the reference implementation,
/// tokenizers, corpora, small trained models. A public clone does without it, and the tests that need it are skipped.
public enum SharedData {
  /// The data's folder, there or not.
  public static let folder: String = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { url.deleteLastPathComponent() }
    return url.path + "/shared/data"
  }()

  /// A chat model of 135 million parameters in Q4_1, a GGUF file.
  public static let smolLM2 = "llama/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"

  /// WikiText-2's validation text.
  public static let wikiText = "corpora/wikitext-2.valid.tokens.txt"

  /// Whether the data has the file or folder `name`.
  public static func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder + "/" + name) }

  /// The path of `name`, which is there: a test that asks for it says `.needs(name)`, or is given only names that are.
  public static func path(_ name: String) throws -> String {
    guard has(name) else { throw Missing(name: name) }
    return folder + "/" + name
  }

  /// Data that a test asked for without the trait that skips it.
  public struct Missing: Error, CustomStringConvertible {
    /// The path under the data's folder.
    public let name: String
    public var description: String { "shared/data has no \(name): the test lacks '.needs(\"\(name)\")'" }
  }
}

extension Trait where Self == ConditionTrait {
  /// Skips a test, and counts it as skipped, where the shared data lack one of `names`.
  public static func needs(_ names: String...) -> Self {
    .enabled(if: names.allSatisfy(SharedData.has), "needs \(names.joined(separator: ", ")) of ../shared/data")
  }
}
