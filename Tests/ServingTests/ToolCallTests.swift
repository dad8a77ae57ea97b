import Files
import Serving
import Testing

/// Calls of tools in what models write, whole and in pieces of any size.
@Suite("calls of tools in answers")
struct ToolCallTests {
  /// A form, a text, and what it is.
  struct Case: Sendable {
    let form: ToolCallForm
    let text: String
    let pieces: [ToolCallReader.Piece]
  }

  private static let weather = ToolCallReader.Piece.call(name: "weather", arguments: #"{"city":"Rome"}"#)
  private static let time = ToolCallReader.Piece.call(name: "time", arguments: "{}")

  static let cases = [
    // Qwen 2.5 and 3, Hermes 2 Pro.
    Case(
      form: .tagged, text: "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>",
      pieces: [weather]),
    Case(
      form: .tagged,
      text: "Let me see.\n\n<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}</tool_call>\n"
        + "<tool_call>{\"name\": \"time\", \"arguments\": {}}</tool_call>\n",
      pieces: [.text("Let me see."), weather, time]),
    // The answer ends in place of the closing tag, as where that is a token that ends it.
    Case(form: .tagged, text: "<tool_call>{\"name\": \"time\", \"arguments\": {}}", pieces: [time]),
    Case(
      form: .tagged, text: "<tool_call>{\"name\": \"weather\", \"argum",
      pieces: [.text("<tool_call>{\"name\": \"weather\", \"argum")]),
    Case(form: .tagged, text: "a <b> <tool_calls> \n", pieces: [.text("a <b> <tool_calls> \n")]),
    Case(form: .tagged, text: "<tool_call>no JSON</tool_call> x", pieces: [.text("<tool_call>no JSON</tool_call> x")]),
    // Mistral, before and since Small 3.1.
    Case(
      form: .marked,
      text:
        "[TOOL_CALLS] [{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}, {\"name\": \"time\", \"arguments\": {}}]",
      pieces: [weather, time]),
    Case(form: .marked, text: "[TOOL_CALLS]weather[ARGS]{\"city\": \"Rome\"}", pieces: [weather]),
    Case(form: .marked, text: "[TOOL] is no mark", pieces: [.text("[TOOL] is no mark")]),
    // Llama 3.1 and later.
    Case(form: .whole, text: "{\"name\": \"weather\", \"parameters\": {\"city\": \"Rome\"}}", pieces: [weather]),
    Case(form: .whole, text: "<|python_tag|>{\"name\": \"time\", \"parameters\": {}}", pieces: [time]),
    Case(
      form: .whole, text: "{\"name\": \"Rome\", \"parameters\": {}}",
      pieces: [.text("{\"name\": \"Rome\", \"parameters\": {}}")]),
    Case(form: .whole, text: "It is {\"name\": \"time\"}", pieces: [.text("It is {\"name\": \"time\"}")]),
    Case(form: .whole, text: "{1, 2} are a set ", pieces: [.text("{1, 2} are a set ")]),
  ]

  /// The pieces with texts beside each other as one.
  private func read(_ one: Case, by size: Int) -> [ToolCallReader.Piece] {
    var reader = ToolCallReader(one.form, tools: ["weather", "time"])
    var pieces: [ToolCallReader.Piece] = []
    var rest = one.text[...]
    while !rest.isEmpty {
      pieces += reader.take(String(rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    pieces += reader.finish()
    return pieces.reduce(into: []) { joined, piece in
      if case .text(let more) = piece, case .text(let text)? = joined.last {
        joined[joined.count - 1] = .text(text + more)
      } else {
        joined.append(piece)
      }
    }
  }

  @Test("a text is the same calls and texts however it comes", arguments: cases)
  func pieces(_ one: Case) throws {
    for size in [1, 2, 3, 7, 1000] {
      let pieces = read(one, by: size)
      #expect(pieces.count == one.pieces.count, "by \(size): \(pieces)")
      for (piece, expected) in zip(pieces, one.pieces) {
        guard case .call(let name, let arguments) = piece, case .call(let wanted, let theirs) = expected else {
          #expect(piece == expected, "by \(size)")
          continue
        }
        #expect(try name == wanted && JSONValue(parsing: arguments) == JSONValue(parsing: theirs))
      }
    }
  }

  @Test("text is not held back longer than it may be a call")
  func prompt() {
    var reader = ToolCallReader(.tagged, tools: [])
    #expect(reader.take("a < b") == [.text("a < b")])
    #expect(reader.take(" <tool") == [])
    #expect(reader.take("box>") == [.text(" <toolbox>")])
  }

  @Test("the template says which form it is")
  func forms() {
    #expect(ToolCallForm(template: "… within <tool_call></tool_call> XML tags") == .tagged)
    #expect(ToolCallForm(template: "{{ '[TOOL_CALLS] ' }}") == .marked)
    #expect(ToolCallForm(template: #"{{- '{"name": "' + call.name + '", "parameters": ' }}"#) == .whole)
    #expect(ToolCallForm(template: "<|im_start|>{{ message.role }}") == nil)
  }
}
