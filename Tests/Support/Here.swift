import Components
import Composition
import Foundation
import Models
import SharedData
import Specification
import StandardComponents

/// Where the tests find what they read.
public enum Here {
  /// The package's folder.
  public static let package: String = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url.path
  }()

  /// The zoo's folder.
  public static let architectures = package + "/Architectures"

  @available(*, unavailable, message: "say '.needs(name)' on the test, and 'SharedData.path(name)' in it")
  public static func shared(_ name: String) -> String? { nil }

  #if os(Linux)
    /// Bytes of memory that this process has been given.
    public static func residentBytes() throws -> Int {
      let words = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
      return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * Int(getpagesize())
    }
  #endif

  /// The folders of the reference implementation's answers that a family of the zoo reads, by name; says which none does.
  public static let fixtures: [String] = {
    guard SharedData.has("fixtures"), let models = try? models() else { return [] }
    let folder = SharedData.folder + "/fixtures"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().filter { name in
      guard FileManager.default.fileExists(atPath: "\(folder)/\(name)/expected.safetensors") else { return false }
      do {
        _ = try models.describe("\(folder)/\(name)")
      } catch ModelProblem.unknownKind {
        print("no family reads the fixture \(name)")
        return false
      } catch {}  // for the tests to fail on
      return true
    }
  }()

  /// Those of `fixtures` that have gradients and a loss too.
  public static let trainingFixtures = fixtures.filter { SharedData.has("fixtures/\($0)/training.safetensors") }

  /// A loader of the zoo's models.
  public static func models() throws -> ModelLoader {
    ModelLoader(
      catalog: Catalog(folders: [architectures]), composer: Composer(try Registry(standardComponents)),
      weightFolders: [package + "/Models"])
  }
}
