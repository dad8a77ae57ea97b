import Components
import Describing
import Specification

/// A probe that a study asks for, and how it is trained.
public struct ProbeRequest: Sendable, Hashable {
  /// The probe.
  public let probe: Probe
  /// How arms are trained on it.
  public let training: Setting
  /// Where it was asked for.
  public let place: Place?

  /// What a probe is trained with, unless it is said otherwise: about as much as the tasks take at a width of 64 to 128.
  static let usual: [(String, String)] = [("steps", "400"), ("batch", "32"), ("lr", "0.001")]
  /// What a study may say otherwise.
  static let keys = usual.map(\.0) + ["warmup"]
}

/// Reads `probes: [recall, induction]`, or `probes: {recall: {steps: 600}}`.
struct ProbesReader {
  private let setting: Setting?

  init(_ setting: Setting?) { self.setting = setting }

  func read(_ problems: inout Problems) -> [ProbeRequest] {
    guard let setting else { return [] }
    var requests: [ProbeRequest] = []
    func add(_ word: String, _ options: [Setting.Entry], _ place: Place?) {
      let names = Probe.Kind.allCases.map(\.rawValue)
      guard let kind = Probe.Kind(rawValue: word) else {
        problems.add(
          Problem(
            "there is no probe '\(word.prefix(40))'; there are \(names.joined(separator: ", "))", at: place,
            hint: nearestName(to: word, in: names).map { "did you mean '\($0)'?" }))
        return
      }
      if requests.contains(where: { $0.probe.kind == kind }) {
        problems.add(Problem("the probe '\(word)' is there already", at: place))
      }
      var training = Setting(.group(ProbeRequest.usual.map { Setting.Entry($0.0, Setting(text: $0.1)) }), at: place)
      for entry in options {
        guard ProbeRequest.keys.contains(entry.key) else {
          problems.add(unknownKey(entry, in: "a probe", among: ProbeRequest.keys))
          continue
        }
        training[entry.key] = entry.value
      }
      if let steps = training["steps"]?.integer, steps < 1 {
        problems.add(Problem("a probe is trained for at least one step", at: training["steps"]?.place))
      }
      requests.append(ProbeRequest(probe: Probe(kind), training: training, place: place))
    }
    if let entries = setting.entries {
      for entry in entries {
        guard entry.value.isNull || entry.value.entries != nil else {
          problems.add(
            Problem(
              "a probe takes a group of \(ProbeRequest.keys.joined(separator: ", ")), not \(entry.value.kindInWords)",
              at: entry.value.place ?? entry.place))
          continue
        }
        add(entry.key, entry.value.entries ?? [], entry.place)
      }
      return requests
    }
    for item in setting.list ?? [setting] {
      guard let word = item.text else {
        problems.add(
          Problem("'probes' takes the names of probes, not \(item.kindInWords)", at: item.place ?? setting.place))
        continue
      }
      add(word, [], item.place)
    }
    return requests
  }
}
