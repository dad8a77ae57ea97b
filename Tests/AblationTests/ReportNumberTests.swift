import Files
import Foundation
import TestSupport
import Testing

import Ablation

/// Reports of numbers that nobody measures: none traps, loops, or draws without end.
@Suite struct ReportNumberTests {
  private static let text = """
    ablation: q
    base: gpt2-mini
    data: text.txt
    seeds: 3
    contexts: [1x, 2x]
    hold: none
    arms:
      none: {position: none}
    """

  static let numbers: [Double] = [
    0, -0.0, 1, -1, 1e17, 1e19, -1e19, 1e30, 1e100, 1e308, -1e308, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
    1e-300, .infinity, -.infinity, .nan,
  ]

  @Test("any loss, time and speed is reported, in every form", arguments: numbers)
  func anything(_ number: Double) throws {
    let plan = try Studies.plan(Self.text)
    // The same for all runs, for one arm alone, and for one run alone.
    for share in 1...3 {
      let report = StudyReport(plan) { task in
        let isOdd = share == 1 || (share == 2 && task.arm == 1) || (share == 3 && task.index == 4)
        let loss = isOdd ? number : 2 + Double(task.seed) / 100
        return TaskOutcome(
          TaskResult(
            loss: loss, curve: [.init(tokens: 1, loss: loss), .init(tokens: Int.max, loss: number)],
            contexts: [.init(context: 64, loss: loss), .init(context: Int.max, loss: number)]),
          TaskTimes(seconds: number, tokensPerSecond: number, machine: "m"))
      }
      let size = report.page.utf8.count + report.markdown.utf8.count + report.json.serialized(pretty: true).utf8.count
      #expect(size < 400_000)
    }
  }

  @Test(
    "an axis has a few ticks that stand on it, whatever the values",
    arguments: numbers.flatMap { low in numbers.map { (low, $0) } })
  func axis(_ low: Double, _ high: Double) {
    for startsAtZero in [false, true] {
      let axis = Axis([low, high], from: 0, to: 100, startsAtZero: startsAtZero)
      #expect(axis.high > axis.low && (1...11).contains(axis.ticks.count), "\(axis.ticks)")
      #expect(axis.ticks.allSatisfy { (-0.01...100.01).contains(axis.place($0)) && axis.label($0).count < 20 })
    }
  }

  @Test("durations, counts and shares are written of any number", arguments: numbers)
  func words(_ number: Double) {
    #expect(!Wording.duration(number).isEmpty && Wording.loss(number).count < 30)
    #expect(!Wording.count(Int(rounding: number)).isEmpty && !percent(number).isEmpty && !grouped(number).isEmpty)
    #expect(at(number).count < 12)
  }
}
