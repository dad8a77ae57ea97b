import Ablation
import Testing

@Suite("Student's t") struct StudentTTests {
  /// A row of a table: ν, then the values at each column.
  struct Row: Sendable {
    let nu: Int
    let values: [Double]
  }

  // from scipy import stats  (1.17.1)
  // for nu in (1, 2, 3, 4, 7, 30, 200): print(nu, [float(2 * stats.t.sf(t, nu)) for t in (0.1, 1, 2.5, 10, 100)])
  static let tails = [
    Row(
      nu: 1,
      values: [0.936548965138893, 0.5000000000000001, 0.24223788318168682, 0.06345103486110713, 0.00636598552981651]),
    Row(
      nu: 2,
      values: [0.9294654384141402, 0.4226497308103742, 0.12961172022151082, 0.00985245702332569, 9.998500249956258e-05]),
    Row(
      nu: 3,
      values: [
        0.9266523488008059, 0.3910022189557705, 0.08770664700806556, 0.0021283990584141503, 2.2045219231849105e-06,
      ]),
    Row(
      nu: 4,
      values: [
        0.9251558409394532, 0.37390096630005887, 0.06676654481198814, 0.000562003622715991, 5.99600209899246e-08,
      ]),
    Row(
      nu: 7,
      values: [
        0.9231480596047924, 0.3506166628202074, 0.04099221858575289, 2.1394202890772802e-05, 2.635297977043105e-12,
      ]),
    Row(
      nu: 30,
      values: [
        0.9210096117902712, 0.3253086154260302, 0.01811564906806669, 4.575251408229618e-11, 1.984611796727031e-39,
      ]),
    Row(
      nu: 200,
      values: [
        0.920444492504321, 0.3185188479097467, 0.013223172641700783, 2.3774831444207646e-19, 9.956843590453632e-173,
      ]),
  ]

  // for nu in (1, 2, 3, 4, 7, 30, 200): print(nu, [float(stats.t.isf(p / 2, nu)) for p in (0.4, 0.05, 0.0125, 0.001)])
  static let criticals = [
    Row(nu: 1, values: [1.3763819204711736, 12.706204736174705, 50.923036636485534, 636.6192487687196]),
    Row(nu: 2, values: [1.060660171779821, 4.302652729749464, 8.8602000346543, 31.59905457644362]),
    Row(nu: 3, values: [0.9784723123633038, 3.1824463052837086, 5.391949071934051, 12.923978636687481]),
    Row(nu: 4, values: [0.9409645772351811, 2.7764451051977943, 4.3146560488867385, 8.610301581379275]),
    Row(nu: 7, values: [0.8960296443137649, 2.3646242515927844, 3.33529493981708, 5.407882520861726]),
    Row(nu: 30, values: [0.853767261471298, 2.042272456301238, 2.6573552554061073, 3.645958635042021]),
    Row(nu: 200, values: [0.8434221315354181, 1.9718962236339093, 2.5204998516599604, 3.3398354062756788]),
  ]

  @Test("its tails are scipy's, to twelve digits of each", arguments: tails)
  func tail(_ row: Row) {
    for (t, expected) in zip([0.1, 1, 2.5, 10, 100], row.values) {
      let found = StudentT(degreesOfFreedom: row.nu).twoSidedProbability(t)
      #expect(abs(found / expected - 1) < 1e-12, "ν \(row.nu), t \(t): \(found) for \(expected)")
    }
  }

  @Test("its critical values are scipy's, to twelve digits of each", arguments: criticals)
  func critical(_ row: Row) {
    for (p, expected) in zip([0.4, 0.05, 0.0125, 0.001], row.values) {
      let found = StudentT(degreesOfFreedom: row.nu).critical(p)
      #expect(abs(found / expected - 1) < 1e-12, "ν \(row.nu), p \(p): \(found) for \(expected)")
    }
  }

  @Test("is symmetric, sure at the middle and empty at infinity") func ends() {
    let t = StudentT(degreesOfFreedom: 2)
    #expect(t.twoSidedProbability(0) == 1 && t.twoSidedProbability(.infinity) == 0)
    #expect(t.twoSidedProbability(-2.5) == t.twoSidedProbability(2.5))
    #expect(t.critical(1) < 1e-6)
  }
}
