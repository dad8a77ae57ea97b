import Files
import Foundation
import Testing

@Suite("chimera list")
struct ListTests {
  private func names(_ arguments: String...) throws -> [String] {
    let run = try Command(["list", "-q"] + arguments)
    #expect(run.status == 0, "\(run.notes)")
    return run.output.split(separator: "\n").map(String.init)
  }

  /// The YAML files of the zoo that are models: neither families, nor maps of names, nor studies.
  private func files() throws -> Set<String> {
    let zoo = Command.package.appending(path: "Architectures").path
    let paths = FileManager.default.enumerator(atPath: zoo)?.compactMap { $0 as? String } ?? []
    let models = paths.filter { path in
      path.hasSuffix(".yaml") && !path.hasSuffix("/family.yaml")
        && !["naming/", "studies/"].contains(where: path.hasPrefix)
    }
    return Set(models.map { String($0.split(separator: "/")[1].dropLast(5)) })
  }

  @Test("every model of the zoo is listed once, and each composes")
  func complete() throws {
    let run = try Command("list", "--json")
    #expect(run.notes.isEmpty, "\(run.notes)")
    let listed = try JSONValue(parsing: run.output).array?.compactMap { $0["name"]?.string } ?? []
    #expect(Set(listed) == (try files()))
    #expect(Set(listed).count == listed.count)
    #expect(Set(try names()) == Set(listed))
    let table = try Command("list").output.split(separator: "\n")
    #expect(table.count == listed.count + 1)
  }

  @Test("filters leave what they say")
  func filters() throws {
    #expect(try names("--family", "gpt2").contains("gpt2-xl"))
    #expect(try !names("--family", "gpt2").contains("gpt1"))
    let small = try names("--max-params", "130M", "--min-params", "120M", "--family", "gpt2")
    #expect(small == ["gpt2"])
    let rotary = try names("--component", "rope", "--component", "layernorm")
    #expect(rotary.contains("gpt-j-6b") && !rotary.contains("gpt2") && !rotary.contains("llama-2-7b"))
    #expect(try names("--component", "gelu_tanh").contains("gpt2"), "a part of a component counts")
  }

  @Test("the largest models are counted exactly, without their memory")
  func large() throws {
    let run = try Command("list", "--json", "--min-params", "400B")
    let models = try #require(JSONValue(parsing: run.output).array)
    for (name, count) in [("llama-3.1-405b", 405_853_388_800), ("deepseek-v3", 671_026_419_200)] {
      #expect(models.contains { $0["name"]?.string == name && $0["parameters"]?.integer == count }, "\(name)")
    }
  }

  @Test(
    "a folder of the environment that is not there is told, and so is a zoo that is nowhere: 4",
    arguments: ["CHIMERA_ARCHITECTURES", "CHIMERA_MODELS"])
  func missingFolder(_ variable: String) throws {
    for arguments in [["list"], ["show", "gpt2"]] {
      let run = try Command(arguments, environment: [variable: Command.package.path + "/Architectures:/nowhere"])
      #expect(
        run.status == 4 && run.output.isEmpty && run.notes.contains("\(variable) names '/nowhere'"), "\(run.notes)")
    }
  }

  @Test("a broken file hides no other")
  func broken() throws {
    try withTemporaryFolder { folder in
      _ = try folder.write("extends: gpt2\nnorm: {type: no_such_norm}\n", to: "mine/broken-model.yaml")
      _ = try folder.write("a: [\n", to: "mine/not-yaml.yaml")
      _ = try folder.write("extends: gpt2\nposition: rope\n", to: "mine/my-variant.yaml")
      let run = try Command("list", "--family", "mine", environment: ["CHIMERA_ARCHITECTURES": folder.path])
      #expect(run.status == 0)
      #expect(run.output.contains("\nmy-variant ") && !run.output.contains("broken-model"))
      #expect(run.notes.contains("'broken-model' is left out") && run.notes.contains("'not-yaml' is left out"))
    }
  }

  @Test("a gallery in a folder has each model's page beside it, and no folder with other files is written into")
  func gallery() throws {
    try withTemporaryFolder { folder in
      let place = folder.path + "/zoo"
      let run = try Command("list", "--family", "gpt2", "--html", place + "/")
      #expect(run.status == 0 && run.output == place + "/index.html\n", "\(run.notes)")
      let names = try Command("list", "--family", "gpt2", "-q").output.split(separator: "\n").map { "\($0).html" }
      #expect(try Set(FileManager.default.contentsOfDirectory(atPath: place)) == Set(names + ["index.html"]))
      #expect(try String(contentsOfFile: place + "/index.html", encoding: .utf8).contains("href=\"gpt2-xl.html\""))
      #expect(try Command("list", "--family", "gpt2", "--html", place).status == 0)
      _ = try folder.write("mine", to: "other/notes.txt")
      let refused = try Command("list", "--family", "gpt2", "--html", folder.path + "/other")
      #expect(refused.status != 0 && refused.output.isEmpty && refused.notes.contains("has other files"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/other") == ["notes.txt"])
    }
  }

  @Test("what was found is kept until a file of the zoo changes, and a damaged cache is not believed")
  func kept() throws {
    try withTemporaryFolder { folder in
      let cache = folder.path + "/cache/listing.json"
      let environment = ["CHIMERA_ARCHITECTURES": folder.path + "/zoo", "CHIMERA_CACHE": folder.path + "/cache"]
      func line() throws -> Substring {
        let run = try Command("list", environment: environment)
        #expect(run.status == 0 && run.notes.isEmpty, "\(run.notes)")
        return try #require(run.output.split(separator: "\n").first { $0.contains("my-variant") })
      }
      _ = try folder.write("extends: gpt2\nposition: rope\n", to: "zoo/mine/my-variant.yaml")
      let first = try line()
      #expect(first.contains("rope") && kind(ofPath: cache) == .nothing, "a file may change within a tick of the clock")
      Thread.sleep(forTimeInterval: 3.1)
      #expect(try line() == first)
      let text = try String(contentsOfFile: cache, encoding: .utf8)
      #expect(text.contains("rope"))
      // What is kept is what is told.
      try text.replacing("my-variant", with: "my-variant-kept").write(toFile: cache, atomically: true, encoding: .utf8)
      #expect(try line().hasPrefix("my-variant-kept "))
      #expect(
        try Command("list", "-q", "--family", "mine", "--max-params", "1B", environment: environment).output
          == "my-variant-kept\n")
      for damaged in [
        "", "[]", text.replacing("\"parameters\"", with: "\"parameter\""), String(text.prefix(text.count / 2)),
      ] {
        try damaged.write(toFile: cache, atomically: true, encoding: .utf8)
        #expect(try line() == first)
      }
      _ = try folder.write("extends: gpt2\nposition: alibi\n", to: "zoo/mine/my-variant.yaml")
      #expect(try line().contains("alibi"))
      _ = try folder.write("extends: gpt2\nposition: [\n", to: "zoo/mine/my-variant.yaml")
      let broken = try Command("list", environment: environment)
      #expect(broken.notes.contains("'my-variant' is left out") && !broken.output.contains("my-variant"))
    }
  }
}
