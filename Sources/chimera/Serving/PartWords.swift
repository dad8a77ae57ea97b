import Components
import Composition
import Models
import Probing

/// What the parts of a model are, in words: the first sentence of each component's documentation.
struct PartWords {
  let described: ModelDescription
  let components: [ComponentDescription]

  /// The words by the parts' names.
  var list: [String: String] {
    var words: [String: String] = [:]
    let parts = ProbeMap(described.plan).parts
    for layer in parts where layer.kind == .layer {
      guard let number = layer.layer else { continue }
      words[layer.name] = "layer \(number) of \(described.plan.shape.layerCount), which off means skipped"
      // What is left out of a layer writes no steps, so that its sublayers are those of its other slots, in order.
      let slots = described.choices.layer(number)
      let own = parts.filter { $0.kind == .sublayer && $0.layer == number }
      let choices = Slot.ofSublayers.compactMap { slots[$0] }.filter { $0.name != "none" }
      guard own.count == choices.count else { continue }
      for (part, choice) in zip(own, choices) {
        let sentence = sentence(of: choice)
        words[part.name] = sentence
        for head in parts where head.kind == .head && head.name.hasPrefix(part.name + ".") {
          words[head.name] = "a head of \(choice.name) in layer \(number), which off means that it gives zeros"
        }
      }
    }
    return words
  }

  /// What a component does, in its documentation's first sentence.
  func sentence(of choice: ComponentChoice) -> String {
    let text = components.first { $0.slot == choice.slot && $0.name == choice.name }?.documentation ?? ""
    let line = text.split(separator: "\n\n").first.map { $0.split(separator: "\n").joined(separator: " ") } ?? ""
    return line.isEmpty ? choice.name : "\(choice.name): \(line)"
  }
}
