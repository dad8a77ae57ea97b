import Describing
import Files

extension StudyReport {
  /// The report as a page that needs nothing but itself.
  public var page: String {
    Page(
      title: "\(plan.study.name): an ablation", summary: headline, body: [body], style: ReportStyle.text,
      script: ReportStyle.script, refreshSeconds: isLive ? Self.refreshSeconds : nil
    ).text
  }

  /// How often the page of a study that is running is read anew.
  private static let refreshSeconds = 10

  private var body: Markup {
    .element(
      "main",
      [
        header, verdicts, effectsSection, tuningSection, probesSection,
      ]
        + sections.map {
          .element("section", [.element("h2", Markup($0.title)), .element("p", Markup($0.meaning)), table($0.table)])
        } + [
          stabilitySection,
          .element(
            "section",
            [.element("h2", "Charts"), legend, .element("div", ["class": "charts"], ReportCharts(report: self).all)]),
          .element(
            "section",
            [
              .element("h2", "How to read this"),
              .element("ul", ["class": "notes"], notes.map { .element("li", Markup($0)) }),
            ]),
          arms, runs,
        ])
  }

  private var header: Markup {
    let facts: [(String, String)] = [
      ("base", plan.baseline.architecture.name), ("arms × seeds", "\(rows.count) × \(plan.seeds.count)"),
      ("tokens per run", Wording.count(plan.baseline.training.tokens)),
      ("noise floor", statistics.noiseFloor.map { Wording.loss($0) + " nats" } ?? "unknown"),
    ]
    return .element(
      "header",
      [
        .element("h1", Markup(plan.study.name)), .element("p", ["class": "headline"], Markup(headline)),
        sentences.isEmpty
          ? .nothing : .element("ul", ["class": "notes"], sentences.map { .element("li", Markup($0)) }),
        .element(
          "dl", ["class": "figures four"],
          facts.map { .element("div", [.element("dt", Markup($0.0)), .element("dd", .element("b", Markup($0.1)))]) }),
      ])
  }

  // MARK: Verdicts

  private var verdicts: Markup {
    var heads: [(String, Bool)] = [
      ("arm", false), ("verdict", false), ("Δ nats, interval", true), ("Δ %", true), ("p (Holm)", true),
      ("loss ± sd", true),
      ("parameters", true), ("Δ params", true), ("FLOPs/token", true), ("memory", true),
    ]
    if includesTimes { heads += [("tokens/s", true), ("time", true)] }
    let extent =
      rows.compactMap { row in
        row.comparison.flatMap { c in
          c.difference.mean.map { abs($0) + min(c.halfWidth ?? 0, 2 * abs($0) + (statistics.noiseFloor ?? 0)) }
        }
      }.max() ?? 1
    let head = Markup.element(
      "tr",
      heads.map {
        .element(
          "th", ["class": $0.1 ? "number" : "", "scope": "col"], .element("button", ["type": "button"], Markup($0.0)))
      })
    return .element(
      "section",
      [
        .element("h2", "Verdicts"),
        .element(
          "div", ["class": "scroll", "tabindex": "0"],
          .element(
            "table", ["class": "verdicts", "id": "verdicts"],
            [.element("thead", head), .element("tbody", rows.indices.map { line($0, extent: extent) })])),
      ])
  }

  private func line(_ index: Int, extent: Double) -> Markup {
    let row = rows[index]
    var cells: [Markup] = [
      .element("th", ["scope": "row"], [swatch(index), Markup(row.arm.name)]),
      .element(
        "td",
        .element(
          "span", ["class": "verdict \(verdictClass(row))"],
          Markup(row.comparison.map { words(for: $0.verdict) } ?? "baseline"))),
    ]
    if let comparison = row.comparison {
      cells.append(
        .element(
          "td", ["class": "number", "data-value": sortable(comparison.difference.mean)],
          [interval(comparison, extent: extent), Markup(Wording.difference(comparison))]))
      cells.append(number(Wording.percent(comparison.percent), comparison.percent))
      cells.append(number(Wording.probability(comparison.correctedProbability), comparison.correctedProbability))
    } else {
      cells += [number("", 0), number("", 0), number("", nil)]
    }
    cells += [
      number(Wording.sample(row.losses), row.losses.mean),
      number(Wording.count(row.arm.parameterCount), Double(row.arm.parameterCount)),
      .element(
        "td",
        [
          "class": row.arm.isMatched || plan.study.hold.quantity == .none ? "number" : "number off",
          "data-value": sortable(row.arm.mismatch),
        ],
        Markup(row.comparison == nil ? "" : Wording.share(row.arm.mismatch))),
      number(Wording.operations(row.arm.flopsPerToken), row.arm.flopsPerToken),
      number(Wording.bytes(row.arm.training.memory), Double(row.arm.training.memory)),
    ]
    if includesTimes {
      cells += [
        number(row.tokensPerSecond.map { Wording.count(Int(rounding: $0)) } ?? "–", row.tokensPerSecond),
        number(row.seconds.map(Wording.duration) ?? "–", row.seconds),
      ]
    }
    return .element("tr", cells)
  }

  private func number(_ text: String, _ value: Double?) -> Markup {
    .element("td", ["class": "number", "data-value": sortable(value)], Markup(text))
  }

  private func sortable(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }

  private func verdictClass(_ row: Row) -> String {
    switch row.comparison?.verdict {
    case nil: "is-base"
    case .better: "is-better"
    case .worse: "is-worse"
    case .diverged: "is-diverged"
    case .notDistinguishable, .tooFewSeeds: "is-open"
    }
  }

  /// The difference with its interval, around the baseline's line.
  private func interval(_ comparison: Comparison, extent: Double) -> Markup {
    guard let mean = comparison.difference.mean, extent > 0 else { return .nothing }
    let (width, middle) = (90.0, 45.0)
    func place(_ value: Double) -> Double { min(width - 2, max(2, middle + value / extent * (middle - 4))) }
    let half = comparison.halfWidth ?? 0
    return .element(
      "svg", ["class": "forest", "viewBox": "0 0 90 16", "width": "90", "height": "16", "aria-hidden": "true"],
      [
        .element("line", ["class": "zero", "x1": at(middle), "x2": at(middle), "y1": "0", "y2": "16"]),
        .element(
          "line", ["class": "span", "x1": at(place(mean - half)), "x2": at(place(mean + half)), "y1": "8", "y2": "8"]),
        .element("circle", ["cx": at(place(mean)), "cy": "8", "r": "3.4"]),
      ])
  }

  private func swatch(_ index: Int) -> Markup { .element("i", ["class": "key \(ReportCharts.colour(index))"]) }

  private var legend: Markup {
    .element("ul", ["class": "keys"], rows.indices.map { .element("li", [swatch($0), Markup(rows[$0].arm.name)]) })
  }

  // MARK: Effects and rates

  private var effectsSection: Markup {
    guard let title = effectsTitle, !effects.isEmpty else { return .nothing }
    return .element(
      "section",
      [.element("h2", Markup(title.title)), .element("p", Markup(title.meaning)), table(effectsTable)])
  }

  private var tuningSection: Markup {
    guard let tuning = plan.study.tuning else { return .nothing }
    return .element("section", [.element("h2", Markup("Each at its own best \(tuning.key)")), table(tuningTable)])
  }

  private var stabilitySection: Markup {
    let lines = stabilityTable
    if lines.isEmpty { return .nothing }
    return .element(
      "section", [.element("h2", "Stability"), .element("p", Markup(Self.stabilityMeaning)), table(lines)])
  }

  private var probesSection: Markup {
    if probes.isEmpty { return .nothing }
    return .element(
      "section", [.element("h2", "Probes"), .element("p", Markup(Self.probesMeaning)), table(probesTable)])
  }

  private func table(_ rows: [[String]]) -> Markup {
    guard let head = rows.first else { return .nothing }
    // A column is of numbers where each of its cells begins like one.
    let isNumber = head.indices.map { column in
      rows.dropFirst().allSatisfy { row in
        column < row.count && (row[column].first.map { $0.isNumber || "+−–<".contains($0) } ?? true)
      }
    }
    func cells(_ row: [String], _ name: String) -> Markup {
      .element(
        "tr",
        row.enumerated().map {
          let isRight = $0.offset > 0 && $0.offset < isNumber.count && isNumber[$0.offset]
          return .element(name, ["class": isRight ? "number" : ""], Markup($0.element))
        })
    }
    return .element(
      "div", ["class": "scroll", "tabindex": "0"],
      .element(
        "table", ["class": "runs"],
        [
          .element("thead", cells(head, "th")),
          .element("tbody", rows.dropFirst().map { cells($0, "td") }),
        ]))
  }

  // MARK: Arms and runs

  private var arms: Markup {
    let cards = rows.indices.dropFirst().map { index -> Markup in
      let yaml = yaml(of: rows[index].arm)
      return .element(
        "div", ["class": "arm-card"],
        [
          .element("h3", [swatch(index), Markup(rows[index].arm.name)]),
          .element("pre", ["class": "yaml"], Markup(yaml.isEmpty ? "{}" : yaml)),
        ])
    }
    return .element(
      "section",
      [
        .element("h2", Markup("What each arm changes in \(plan.baseline.architecture.name)")),
        .element("div", ["class": "arm-cards"], cards),
      ])
  }

  private var runs: Markup {
    let seeds = plan.seeds
    let head = Markup.element(
      "tr", [.element("th", "arm")] + seeds.map { .element("th", ["class": "number"], Markup("seed \($0)")) })
    let lines = rows.indices.map { index in
      Markup.element(
        "tr",
        [.element("th", [swatch(index), Markup(rows[index].arm.name)])]
          + seeds.map { seed in
            .element(
              "td", ["class": "number"],
              Markup(Wording.loss(rows[index].outcomes.first { $0.seed == seed }?.outcome.result.loss)))
          })
    }
    var facts: [(String, String)] = [
      ("training", settings), ("data", "\(dataNames) (\(plan.dataFingerprint))"), ("study", plan.fingerprint),
      ("commands", commands.joined(separator: "\n")),
    ]
    if includesTimes, !machines.isEmpty { facts.insert(("machine", machines.joined(separator: "; ")), at: 1) }
    if let origin { facts.append(("written", "\(origin.date) by chimera \(origin.version)")) }
    return .element(
      "section",
      [
        .element("h2", "Runs"),
        .element(
          "div", ["class": "scroll"],
          .element("table", ["class": "runs"], [.element("thead", head), .element("tbody", lines)])),
        .element(
          "dl", ["class": "facts"],
          facts.map {
            .element("div", [.element("dt", Markup($0.0)), .element("dd", ["class": "fixed"], Markup($0.1))])
          }),
        .element(
          "details",
          [
            .element("summary", "All numbers, as JSON"),
            .element("pre", ["class": "yaml", "id": "results"], Markup(json.serialized(pretty: true))),
          ]),
      ])
  }
}
