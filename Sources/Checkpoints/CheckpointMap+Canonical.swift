import Components

extension CheckpointMap {
  /// The map of a checkpoint whose names are the canonical ones of `tensors`.
  public static func canonical(for tensors: [PlannedTensor]) throws(Problems) -> CheckpointMap {
    var rules: [Setting.Entry] = []
    var seen: Set<String> = []
    for tensor in tensors {
      let name = tensor.name.pattern
      guard seen.insert(name).inserted else { continue }
      let rule = [
        Setting.Entry("to", Setting(.scalar(name, quoted: true))), Setting.Entry("exact", Setting(text: "true")),
      ]
      rules.append(Setting.Entry(name, Setting(.group(rule))))
    }
    return try CheckpointMap(Setting(.group([Setting.Entry("tensors", Setting(.group(rules)))])))
  }
}
