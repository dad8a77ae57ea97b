import Components

extension Architecture {
  /// The whole spec that gives the same plan by itself, as YAML; `withFormats` says what it knows of other programs' files
  /// too.
  ///
  /// A configuration may name fewer variants of layers than its family has; by itself a spec has none that no layer uses.
  /// The published count of parameters is the zoo's own check and is left out.
  public func text(withFormats: Bool) -> String {
    var resolved = resolved
    resolved["expected_params"] = nil
    let used = Set(layers.compactMap(\.variant).flatMap { $0.split(separator: "+").map(String.init) })
    if let variants = resolved[path: "layers.variants"]?.entries, !used.isEmpty {
      resolved[path: "layers.variants"] = Setting(.group(variants.filter { used.contains($0.key) }))
    }
    if !withFormats { for key in ["checkpoint", "config", "gguf"] { resolved[key] = nil } }
    return YAMLWriter().write(resolved)
  }
}
