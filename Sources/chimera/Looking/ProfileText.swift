import Composition
import Describing
import Execution

/// Where a run's time went, as tables: by operator and by place in a layer.
struct ProfileText {
  let profile: Profile

  var text: String {
    Profile.Phase.allCases.filter { profile.passes($0) > 0 }.map(text).joined(separator: "\n")
  }

  private func text(_ phase: Profile.Phase) -> String {
    let seconds = profile.seconds(phase)
    let passes = profile.passes(phase)
    let title =
      "\(phase.rawValue): \(profile.tokens(phase).grouped) tokens in \(passes.grouped) \(passes == 1 ? "pass" : "passes"), "
      + "\(Quantity.digits(seconds * 1e3)) ms in their steps\n"
    let tables = [("operator", profile.byOperator(phase)), ("place", profile.byScope(phase))].map { header, lines in
      var table = TextTable([.left, .right, .right, .right, .right])
      table.add(header, "calls", "ms", "share", phase == .prompt ? "GFLOP/s" : "GB/s")
      for line in lines {
        table.add(
          line.name, line.calls.grouped, Quantity.digits(line.seconds * 1e3),
          Quantity.percent(seconds > 0 ? line.seconds / seconds : 0), rate(line, phase))
      }
      return table.text()
    }
    return title + tables.joined(separator: "\n")
  }

  /// Operations a second where a prompt is computed, and bytes of weights a second where tokens come one by one.
  private func rate(_ line: Profile.Line, _ phase: Profile.Phase) -> String {
    let amount = phase == .prompt ? (line.hasRate ? line.work.flops : 0) : line.work.weightBytes
    return amount > 0 && line.seconds > 0 ? Quantity.digits(amount / line.seconds / 1e9) : ""
  }
}
