import Components
import Composition
import Foundation
import Models
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

  /// The path of `name` in the data that stands beside the package where the project is developed; nil elsewhere, where
  /// the tests say what they skip.
  public static func shared(_ name: String) -> String? {
    let path = package + "/../shared/data/" + name
    if FileManager.default.fileExists(atPath: path) { return path }
    print("skipped, for it is not here: shared data \(name)")
    return nil
  }

  #if os(Linux)
    /// Bytes of memory that this process has been given.
    public static func residentBytes() throws -> Int {
      let words = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
      return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * Int(getpagesize())
    }
  #endif

  /// The folders of the reference implementation's answers that a family of the zoo reads, by name; says which none does.
  public static let fixtures: [String] = {
    guard let folder = shared("fixtures"), let models = try? models() else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().filter { name in
      guard FileManager.default.fileExists(atPath: "\(folder)/\(name)/expected.safetensors") else { return false }
      do {
        _ = try models.describe("\(folder)/\(name)")
      } catch ModelProblem.unknownKind {
        print("skipped, for no family reads it: \(name)")
        return false
      } catch {}  // for the tests to fail on
      return true
    }
  }()

  /// A loader of the zoo's models.
  public static func models() throws -> ModelLoader {
    ModelLoader(
      catalog: Catalog(folders: [architectures]), composer: Composer(try Registry(standardComponents)),
      weightFolders: [package + "/Models"])
  }
}
