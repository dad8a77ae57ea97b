import Files
import Templates
import Testing

/// `vectors.json` is written by `Tests/Interop/templates/vectors.py`: transformers 5.23.0 with jinja2 3.1.6.
private let vectors: JSONValue = {
  let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
  return (try? JSONValue(contentsOf: "/" + folder + "/vectors.json")) ?? .null
}()

private let templates = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Templates/"

@Suite("Templates against the reference")
struct VectorTests {
  @Test("give every conversation the text that transformers gives it, or refuse it as transformers does")
  func conversations() throws {
    let chats = try #require(vectors["chats"]?.array)
    #expect(chats.count > 100)
    for chat in chats {
      let file = try #require(chat["file"]?.string)
      let mapped = try MappedFile(path: templates + file)
      let source = withExtendedLifetime(mapped) { String(decoding: mapped.bytes, as: UTF8.self) }
      let variables = try #require(chat["variables"]?.object)
      let text = try? Template(source, name: file).render(variables)
      #expect(
        text.map { Array($0.utf8) } == chat["text"]?.string.map { Array($0.utf8) },
        "\(file) \(chat["name"]?.string ?? "")")
    }
  }

  @Test("give generated templates the text that Jinja's sandbox gives them, or refuse them as it does")
  func generated() throws {
    let variables = try #require(vectors["variables"]?.object)
    let cases = try #require(vectors["generated"]?.array)
    #expect(cases.count > 300)
    for one in cases {
      let source = try #require(one["template"]?.string)
      let text = try? Template(source, name: "t").render(variables)
      #expect(text.map { Array($0.utf8) } == one["text"]?.string.map { Array($0.utf8) }, "\(source)")
    }
  }
}
