import Ablation
import Testing

@Suite("designs and power") struct DesignTests {
  // from scipy import stats  (1.17.1); stats.nct.cdf(t, nu, delta), and stats.t.cdf(t, nu) where delta is 0
  @Test(
    "the noncentral t distribution is scipy's",
    arguments: [
      (2, 3.0, 4.302652729911275, 0.6126106498198225),
      (2, 3.0, -4.302652729911275, 1.077832530219617e-05),
      (1, 1.0, 2.0, 0.6228719644602817),
      (4, 2.5, 2.7764451051977987, 0.5227660644149696),
      (9, 0.0, 2.2621571627409915, 0.9749999999976622),
      (30, 5.0, 4.0, 0.17900962945532162),
    ])
  func noncentral(_ nu: Int, _ delta: Double, _ t: Double, _ expected: Double) {
    let found = NoncentralT(degreesOfFreedom: nu, noncentrality: delta).probability(upTo: t)
    #expect(abs(found - expected) < 1e-6, "\(found)")
  }

  @Test("power grows with seeds and effects, and the detectable difference is found four times in five") func power() {
    let power = Power(spread: 0.01, comparisons: 3)
    for seeds in [2, 3, 5, 20] {
      let least = power.smallestDetectable(seeds: seeds) ?? .nan
      #expect(abs(power.chance(of: least, seeds: seeds) - 0.8) < 1e-5)
      #expect(power.chance(of: least * 1.5, seeds: seeds) > 0.9)
      #expect(power.seeds(for: least * 1.0001) == seeds)
    }
    #expect(
      power.smallestDetectable(seeds: 1) == nil && Power(spread: 0, comparisons: 1).smallestDetectable(seeds: 3) == nil)
    #expect(abs(power.chance(of: 0, seeds: 5) - 0.05 / 3) < 1e-6, "without an effect it is the level")
  }

  // The resolutions of Box, Hunter and Hunter, "Statistics for Experimenters", table 12.15.
  @Test(
    "fractions have the resolution of the books",
    arguments: [
      (3, 4, 3), (4, 8, 4), (5, 8, 3), (5, 16, 5), (6, 8, 3), (6, 16, 4), (6, 32, 6), (7, 8, 3), (7, 16, 4), (8, 16, 4),
      (7, 64, 7), (9, 16, 3), (5, 32, 6), (15, 16, 3),
    ])
  func resolution(_ count: Int, _ runs: Int, _ resolution: Int) throws {
    let design = try #require(FractionalDesign(count: count, runs: runs))
    #expect(design.resolution == resolution && design.runs.count == runs && Set(design.runs).count == runs)
    #expect(design.runs[0] == 0, "the base is among the runs")
    for word in design.words { #expect(design.runs.allSatisfy { ($0 & word).nonzeroBitCount % 2 == 0 }) }
    // Every change is in half of the runs, and every two of them together in a quarter.
    for change in 0..<count {
      let bit = UInt32(1) << UInt32(change)
      #expect(design.runs.count { $0 & bit != 0 } == runs / 2)
      for other in 0..<change {
        #expect(design.runs.count { $0 >> UInt32(other) & $0 >> UInt32(change) & 1 == 1 } == runs / 4)
      }
    }
  }

  @Test("impossible fractions are none", arguments: [(5, 4), (5, 5), (5, 64), (1, 4), (16, 32), (5, 0), (5, -8)])
  func impossible(_ count: Int, _ runs: Int) { #expect(FractionalDesign(count: count, runs: runs) == nil) }

  @Test("interactions that cannot be told apart are one, and named together") func aliases() throws {
    let design = try #require(FractionalDesign(count: 4, runs: 8))
    let arms = Dictionary(uniqueKeysWithValues: design.runs.enumerated().map { ($0.element, $0.offset) })
    let names = design.contrasts(arms: arms) { "ABCD".map(String.init)[$0] }.map(\.name)
    #expect(names == ["A", "B", "C", "D", "A × B = C × D", "A × C = B × D", "A × D = B × C"])
    // Resolution III: an interaction that is mixed with a change has no row of its own, and the change's aliases name it.
    let coarse = try #require(FractionalDesign(count: 3, runs: 4))
    #expect(coarse.aliases(of: 1) == [0b110])
    #expect(
      coarse.contrasts(arms: [0: 0, 0b101: 1, 0b110: 2, 0b011: 3]) { "\($0)" }.map(\.kind) == [.main, .main, .main])
  }

  @Test("the weights of every contrast add up to nothing") func sums() throws {
    let grid = GridDesign(factors: ["a", "b", "c"], levels: [["0", "1"], ["0", "1", "2"], ["x"]])
    var cells: [[Int]: Int] = [:]
    for a in 0..<2 { for b in 0..<3 { cells[[a, b, 0]] = cells.count } }
    let fraction = try #require(FractionalDesign(count: 6, runs: 16))
    let path = PathDesign(count: 5, orders: 7)
    let all =
      grid.contrasts(cells: cells, reference: [1, 0, 0])
      + fraction.contrasts(arms: Dictionary(uniqueKeysWithValues: fraction.runs.enumerated().map { ($1, $0) })) {
        "\($0)"
      }
      + path.contrasts(arms: Dictionary(uniqueKeysWithValues: path.models.enumerated().map { ($1, $0) })) { "\($0)" }
    #expect(all.count == 5 + 6 + 7 + 5 + 1)
    for contrast in all { #expect(abs(contrast.weights.values.reduce(0, +)) < 1e-12, "\(contrast)") }
    cells[[0, 1, 0]] = nil
    #expect(grid.contrasts(cells: cells, reference: [1, 0, 0]).count == 2, "what misses an arm is left out")
  }

  @Test("all orders are 2^k models, and the shares treat changes alike") func orders() {
    #expect(PathDesign(count: 4).models.count == 16)
    let rotated = PathDesign(count: 5, orders: 10)
    #expect(rotated.models.contains(0) && rotated.models.contains(31) && rotated.models.count < 32)
    for change in 0..<5 {
      let orders = rotated.orders ?? []
      #expect(orders.count { $0[0] == change } == 2 && orders.count { $0[4] == change } == 2)
    }
  }

  // MARK: Rate curves

  @Test("the lowest point of a parabola in the logarithm is found, and the best two are beside it") func vertex() {
    func curve(_ optimum: Double) -> RateCurve {
      RateCurve(
        [0.5, 1, 2].map { .init(factor: $0, loss: 2 + 0.1 * (log($0) - log(optimum)) * (log($0) - log(optimum))) })
    }
    func log(_ x: Double) -> Double { x == 0.5 ? -1 : x == 1 ? 0 : x == 2 ? 1 : x > 1 ? 0.25 : -0.25 }
    #expect(abs((curve(1.1).vertex ?? 0) - 1.189207115002721) < 1e-12, "2^¼")
    #expect(curve(1.1).finalists == [1, 2] && curve(0.9).finalists == [1, 0] && !curve(1.1).isAtEdge)
    let edge = RateCurve([.init(factor: 0.5, loss: 3), .init(factor: 1, loss: 2.5), .init(factor: 2, loss: 2.2)])
    #expect(edge.isAtEdge && edge.vertex == nil && edge.finalists == [2, 1])
    #expect(edge.next(limit: 16) == 4 && edge.next(limit: 2) == nil)
    let low = RateCurve([.init(factor: 0.5, loss: 2), .init(factor: 1, loss: 2.5), .init(factor: 2, loss: .nan)])
    #expect(low.next(limit: 16) == 0.25 && low.finalists == [0, 1])
    let dead = RateCurve([.init(factor: 1, loss: .nan)])
    #expect(dead.best == nil && dead.finalists.isEmpty && !dead.isAtEdge && dead.next(limit: 16) == nil)
    let beside = RateCurve([.init(factor: 0.5, loss: .nan), .init(factor: 1, loss: 2.5), .init(factor: 2, loss: 3)])
    #expect(beside.vertex == nil && beside.finalists == [1, 2])
  }

  @Test("a rate at which any seed diverged is not the best") func divergedRates() {
    let best = BestOfRates([[1: 2, 2: 2.1, 3: .nan], [1: 2.2, 2: 2.3, 3: 2.4]])
    #expect(best.chosen == 1 && best.losses == [1: 2.2, 2: 2.3, 3: 2.4])
    #expect(BestOfRates([[1: .nan]]).chosen == nil && BestOfRates([]).losses.isEmpty)
    #expect(BestOfRates([[1: 2.0]]).losses == [1: 2.0], "with one seed there are no others to ask")
  }
}
