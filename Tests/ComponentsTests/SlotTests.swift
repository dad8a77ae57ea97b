import Components
import Composition
import Specification
import StandardComponents
import TestSupport
import Testing

/// The table of slots, compared with the components that fill them and the models that are made of them.
@Suite("slots") struct SlotTests {
  private let registry = Result { try Registry(standardComponents) }

  @Test("a slot that means its own component has one, and no other slot has a component of its name")
  func ownComponents() throws {
    for slot in Slot.allCases {
      #expect(try registry.get().names(in: slot).contains(slot.rawValue) == slot.hasOwnComponent, "\(slot)")
    }
  }

  @Test("a scope leads back to its slot, and every sublayer has one")
  func scopes() {
    for slot in Slot.allCases {
      if let scope = slot.scope { #expect(Slot(scope: scope) == slot) }
      if slot.standing == .sublayer { #expect(slot.scope != nil) }
    }
    #expect(Slot(scope: "moe") == nil)
  }

  @Test("a file writes every slot of a model somewhere: at the root, or as an option of a slot at the root")
  func places() {
    for slot in Slot.ofModels where slot.standing != .stack {
      let root = slot.optionPath.map { String($0.prefix { $0 != "." }) } ?? slot.rawValue
      #expect(Slot.atRoot.map(\.rawValue).contains(root), "\(slot)")
    }
  }

  @Test("a layer has a component for every slot of layers, and a choice is told for each")
  func layers() throws {
    let described = try Here.models().describe("gpt2-nano")
    let slots = Set(Slot.ofLayers.filter { $0.whenUnwritten != .nothing })
    for layer in described.architecture.layers { #expect(Set(layer.components.keys) == slots) }
    for kind in described.choices.kinds { #expect(Set(kind.keys) == slots) }
    #expect(Set(described.choices.model.keys) == Set(Slot.allCases.filter(\.isOutsideLayers)))
  }

  @Test(
    "where a component is wanted, neither a list nor a type that is no name is taken for one",
    arguments: ["mlp.activation=[relu]", "mlp.activation={type: [relu]}", "block.residual={type: {a: b}}"])
  func noName(change: String) throws {
    let patches = try Overrides([change]).patches
    #expect(throws: Problems.self) { try Here.models().describe("gpt2-nano", patches: patches) }
  }
}
