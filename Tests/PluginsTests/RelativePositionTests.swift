import Components
import Specification
import TestSupport
import Testing

/// The buckets of distances, against the reference's.
@Suite struct RelativePositionTests {
  /// Buckets, the largest distance, whether keys stand behind the query too, and the distances at which a new bucket begins:
  ///
  ///     from transformers.models.t5.modeling_t5 import T5Attention
  ///     d = torch.arange(0, 2 * m)
  ///     r = T5Attention._relative_position_bucket(-d, bidirectional=both, num_buckets=b, max_distance=m).tolist()
  ///     [i for i in range(len(r)) if i == 0 or r[i] != r[i - 1]]       # transformers 5.23, torch 2.15
  static let cases: [(buckets: Int, distance: Int, both: Bool, starts: [Int])] = [
    (32, 128, true, [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91]),
    (
      32, 128, false,
      Array(0...16) + [19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113]
    ), (8, 16, true, [0, 1, 2, 6]), (12, 40, true, [0, 1, 2, 3, 8, 17]),
    (
      64, 1000, false,
      Array(0...32) + [
        36, 40, 45, 50, 55, 62, 68, 76, 85, 94, 105, 117, 130, 145, 161, 179, 200, 222, 248, 276, 307, 342, 380, 423,
        471,
        525, 585, 651, 725, 807, 899,
      ]
    ),
  ]

  @Test("distances share buckets as in the reference, before the query and behind it")
  func buckets() throws {
    for one in Self.cases {
      let setting = try YAMLReader(source: "bias")
        .read("{type: relative, buckets: \(one.buckets), max_distance: \(one.distance)}")
      let position = try Standard.kit.registry.make(.position, setting, as: (any PositionEncoding).self)
      var plan = PlanBuilder(shape: ModelShape(vocabSize: 3, contextLength: 8, hiddenSize: 4, layerCount: 1))
      let relative = position.scoreTable(heads: 2, seesLater: one.both, into: &plan)
      let table = try #require(relative?.table)
      #expect(relative?.tensor.shape == [one.buckets, 2])
      func bucket(_ distance: Int) -> Int { table.row(distance) }
      var starts: [Int] = []
      for n in 0..<2 * one.distance where n == 0 || bucket(-n) != bucket(1 - n) { starts.append(n) }
      #expect(starts == one.starts, "\(one.buckets), \(one.distance)")
      for n in 1..<2 * one.distance {
        #expect(bucket(n) == (one.both ? one.buckets / 2 + bucket(-n) : 0))
      }
    }
  }
}
