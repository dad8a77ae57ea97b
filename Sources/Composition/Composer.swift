import Components
import Specification

/// Makes the components that an architecture chose, and lets each write its part of a plan.
public struct Composer: Sendable {
  /// The components that files can name.
  public let registry: Registry

  /// A composer with the components of `registry`.
  public init(_ registry: Registry) {
    self.registry = registry
  }

  /// The plan of `architecture`; throws every problem found, each with its place.
  public func compose(_ architecture: Architecture) throws(Problems) -> Plan { try assemble(architecture).plan() }

  /// How many numbers `architecture` learns, found by writing each distinct layer once; throws every problem found.
  public func parameterCount(of architecture: Architecture) throws(Problems) -> Int {
    let assembly = try assemble(architecture)
    return try assembly.parameterCount(sketch: assembly.sketch())
  }

  /// What is wrong with the components of `architecture`, for the one who has found other mistakes in its file.
  public func problems(of architecture: Architecture) -> Problems {
    do throws(Problems) {
      _ = try assemble(architecture).sketch()
      return Problems()
    } catch { return error }
  }

  /// The components of `architecture`, each made once; throws every problem found, each with its place.
  public func assemble(_ architecture: Architecture) throws(Problems) -> Assembly {
    var problems = Problems()
    let text = assemble(architecture.text, in: architecture, noting: &problems) { make in
      make(.head).flatMap { $0 as? any Head }
    }
    var others: [Assembly.Other?] = []
    for stack in architecture.stacks {
      let made = assemble(stack, in: architecture, noting: &problems) { make in
        make(.output).flatMap { $0 as? any Output }
      }
      others.append(made.map { Assembly.Other(assembly: $0.assembly, output: $0.end) })
    }
    guard problems.isEmpty, let text, !others.contains(where: { $0 == nil }) else { throw problems }
    return Assembly(
      architecture: architecture, text: text.assembly, head: text.end, others: others.compactMap(\.self))
  }

  /// The components of `stack`, each made once, and what `end` makes of what stands behind its layers; nil where one is not
  /// there, which is then among `problems`.
  private func assemble<End>(
    _ stack: Architecture.Stack, in architecture: Architecture, noting problems: inout Problems,
    end: ((Slot) -> (any Component)?) -> End?
  ) -> (assembly: StackAssembly, end: End)? {
    let isText = stack.name == architecture.text.name
    let factory = ComponentFactory(registry, shape: stack.shape, stack: isText ? nil : stack.name)
    var model: [Slot: ComponentChoice] = [:]
    func make<Wanted>(_ slot: Slot, as: Wanted.Type) -> Wanted? {
      let made = factory.make(stack[slot] ?? ComponentSpec(slot: slot), as: Wanted.self)
      model[slot] = made?.choice
      return made?.component
    }
    let embedding = make(.embedding, as: (any Embedding).self)
    let position = make(.position, as: (any PositionEncoding).self)
    let norm = make(.norm, as: (any Normalization).self)
    let end = end { make($0, as: (any Component).self) }
    let initialization = architecture.initialization.flatMap { setting in
      factory.make(
        ComponentSpec(slot: .initialization, setting: setting.typed(registry.defaultNames[.initialization])),
        as: (any Initialization).self)?.component
    }
    var kinds: [StackAssembly.Kind?] = []
    // Distinct layers are numbered as they first appear.
    for (index, kind) in stack.layerKinds.enumerated() where kind == kinds.count {
      let layer = stack.layers[index]
      let made = self.kind(of: layer, factory)
      kinds.append(made)
      if let own = layer[.position], own != stack[.position], made?.position.actsAtEmbedding == true {
        problems.add(
          Problem(
            "'\(own.type ?? "")' acts once, at the embedding, so a layer cannot choose it", at: own.place,
            hint: "set 'position' for the whole model"))
      }
    }
    // What nobody wrote is missing in the file as a whole, or in the stack.
    for problem in factory.problems.list {
      problems.add(problem.placed(at: stack.place ?? architecture.resolved.place))
    }
    guard let embedding, let position, let norm, let end, !kinds.contains(where: { $0 == nil }) else { return nil }
    return (
      StackAssembly(
        stack: stack, embedding: embedding, position: position, norm: norm, kinds: kinds.compactMap(\.self),
        initialization: initialization, model: model),
      end
    )
  }

  /// The components of `layer`.
  private func kind(of layer: LayerSpec, _ factory: ComponentFactory) -> StackAssembly.Kind? {
    var choices: [Slot: ComponentChoice] = [:]
    func make<Wanted>(_ slot: Slot, as: Wanted.Type) -> Wanted? {
      guard let spec = layer[slot] else { return nil }
      let made = factory.make(spec, as: Wanted.self, in: layer.components)
      choices[slot] = made?.choice
      return made?.component
    }
    let position = make(.position, as: (any PositionEncoding).self)
    let norm = make(.norm, as: (any Normalization).self)
    let block = make(.block, as: (any Block).self)
    let sublayers = Slot.ofSublayers.compactMap { slot in
      make(slot, as: (any SublayerComponent).self).map { (slot: slot, component: $0) }
    }
    guard let position, let norm, let block, choices.count == layer.components.count else { return nil }
    return StackAssembly.Kind(position: position, norm: norm, block: block, sublayers: sublayers, choices: choices)
  }
}

extension Setting {
  /// The group that it stands for, of the type `name` where it says none.
  fileprivate func typed(_ name: String?) -> Setting {
    var group = asComponent
    if let name, group["type"] == nil { group["type"] = Setting(text: name, at: place) }
    return group
  }
}

extension Problem {
  /// The problem, at `place` unless it has one of its own.
  fileprivate func placed(at place: Place?) -> Problem { Problem(sentence, at: self.place ?? place, hint: hint) }
}

extension SpecificationLoader {
  /// A loader of the models of `catalog`, for `composer`: options choose the components that it says, and what is wrong
  /// with components is told together with what is wrong with the file that chooses them.
  public convenience init(catalog: Catalog, for composer: Composer) {
    self.init(
      catalog: catalog, choosingOptions: composer.registry.choosingOptions, terms: composer.registry.terms,
      composing: { composer.problems(of: $0) })
  }
}
