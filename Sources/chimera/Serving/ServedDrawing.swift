import Components
import Composition
import Describing
import Files
import Models

/// The drawing of a model for the page that looks into it, and what its parts are, in words.
struct ServedDrawing {
  let described: ModelDescription
  let words: PartWords

  /// The sections, each with the layers that read so, its SVG, and words for every node by its name.
  var json: JSONValue {
    let sheet = ModelSheet(described.architecture, described.choices, described.plan)
    let known = words.list
    return .array(
      sheet.drawnSections.map { section in
        let names = section.words.keys.sorted()
        var explained = JSONObject()
        for name in names {
          let sentence =
            section.layers.first.flatMap { known["layers.\($0).\(name)"] }
            ?? section.components[name].map(words.sentence)
          let lines = section.words[name] ?? ""
          explained[name] = .string([sentence ?? "", lines].filter { !$0.isEmpty }.joined(separator: "\n"))
        }
        return [
          "layers": .array(section.layers.map { .integer($0) }), "svg": .string(section.svg),
          "words": .object(explained),
        ]
      })
  }
}
