import Components
import Foundation
import Specification
import Testing

@Suite("The zoo")
struct CatalogTests {
  @Test("models are found by name and by path, families by path only")
  func lookup() throws {
    let zoo = try Zoo(Examples.zoo.merging(["gpt2/family.yaml": "{}", "gpt2/notes.txt": "", "README.md": ""]) { $1 })
    let catalog = zoo.catalog
    #expect(catalog.path(of: "gpt2") == zoo.folder + "/gpt2/gpt2.yaml")
    #expect(catalog.path(of: "gpt2/gpt2") == zoo.folder + "/gpt2/gpt2.yaml")
    #expect(catalog.path(of: "gpt2/family") == zoo.folder + "/gpt2/family.yaml")
    #expect(catalog.path(of: "naming/hf-llama") == zoo.folder + "/naming/hf-llama.yaml")
    #expect(catalog.path(of: "family") == nil)
    #expect(catalog.path(of: "hf-llama") == nil)
    #expect(catalog.models().map(\.name) == ["gemma-2-2b", "gpt2", "tiny-hybrid", "llama-3.2-1b"])
    #expect(catalog.models().map(\.family) == ["gemma", "gpt2", "hybrids", "llama"])
    #expect(catalog.familyFiles().map(\.family) == ["gpt2"])
    #expect(catalog.nearest(to: "gtp2") == "gpt2")
    #expect(catalog.nearest(to: "gpt2/familly") == "gpt2/family")
    #expect(catalog.family(ofPath: zoo.folder + "/gpt2/gpt2.yaml") == "gpt2")
    #expect(catalog.family(ofPath: zoo.folder + "/naming/hf-llama.yaml") == nil)
  }

  @Test("studies are found by name, and are no models")
  func studies() throws {
    let zoo = try Zoo(Examples.zoo.merging(["studies/norm.yaml": "{}", "studies/text.txt": ""]) { $1 })
    #expect(zoo.catalog.study(named: "norm") == zoo.folder + "/studies/norm.yaml")
    #expect(zoo.catalog.study(named: "text") == nil && zoo.catalog.study(named: "../studies/norm") == nil)
    #expect(zoo.catalog.studies() == ["norm"])
    #expect(zoo.catalog.path(of: "norm") == nil && !zoo.catalog.models().contains { $0.family == "studies" })
    #expect(zoo.catalog.family(ofPath: zoo.folder + "/studies/norm.yaml") == nil)
  }

  @Test(
    "a name cannot lead out of the zoo",
    arguments: [
      "..", "../gpt2", "gpt2/..", "gpt2/../gpt2/gpt2", "/etc/passwd", "gpt2/gpt2/gpt2", "", "/", "gpt2/", "/gpt2", ".",
      "gpt2\0", "gpt2\0/x", "%2e%2e/gpt2", "-gpt2", ".gpt2", "gpt2\n", "gpt 2", "ｇｐｔ2", "gpt2.yaml/..", "~",
    ])
  func escapes(name: String) throws {
    let zoo = try Zoo(Examples.zoo)
    #expect(zoo.catalog.path(of: name) == nil)
    #expect(throws: Problems.self) { try zoo.loader.load(name) }
  }

  @Test("a link out of the zoo is not followed")
  func links() throws {
    let zoo = try Zoo(Examples.zoo)
    let other = try Zoo(["secret.yaml": Examples.small])
    try FileManager.default.createSymbolicLink(
      atPath: zoo.folder + "/gpt2/linked.yaml", withDestinationPath: other.folder + "/secret.yaml")
    try FileManager.default.createSymbolicLink(
      atPath: zoo.folder + "/gpt2/alias.yaml", withDestinationPath: zoo.folder + "/gpt2/gpt2.yaml")
    #expect(zoo.catalog.path(of: "linked") == nil)
    #expect(zoo.catalog.path(of: "alias") != nil)
  }

  @Test("the earlier folder counts")
  func folders() throws {
    let first = try Zoo(["mine/gpt2.yaml": Examples.small])
    let second = try Zoo(Examples.zoo)
    let catalog = Catalog(folders: [first.folder, second.folder, "/nowhere"])
    #expect(catalog.path(of: "gpt2") == first.folder + "/mine/gpt2.yaml")
    #expect(catalog.path(of: "llama-3.2-1b") == second.folder + "/llama/llama-3.2-1b.yaml")
    #expect(catalog.models().filter { $0.name == "gpt2" }.map(\.family) == ["mine"])
  }

  // Alone on an AMD EPYC core: 0.3 ms to list and 30 ms to load.
  @Test("150 models of 15 families are listed, and all loaded")
  func many() throws {
    var files: [String: String] = ["naming/hf-llama.yaml": Examples.naming]
    for family in 0..<15 {
      files["f\(family)/family.yaml"] = Examples.gemma.replacing("name: gemma-2-2b\n", with: "").replacing(
        "expected_params: 2614341888\n", with: "facts: {title: Family, paper: x, licence: y}\n")
      for member in 0..<10 {
        files["f\(family)/m\(family)-\(member).yaml"] =
          "name: m\(family)-\(member)\nextends: f\(family)/family\n"
          + "hidden_size: \(256 * (member + 1))\nexpected_params: 5\n"
          + "facts: {title: Member, year: 2024}\nattention: {num_heads: 8}\n"
      }
    }
    let zoo = try Zoo(files)
    let models = zoo.catalog.models()
    #expect(models.count == 150)
    for model in models { #expect(try zoo.loader.load(model.name).name == model.name) }
  }
}
