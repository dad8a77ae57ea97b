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

  /// A loader of the zoo's models.
  public static func models() throws -> ModelLoader {
    ModelLoader(
      catalog: Catalog(folders: [architectures]), composer: Composer(try Registry(standardComponents)),
      weightFolders: [package + "/Models"])
  }
}
