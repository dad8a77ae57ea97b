import Composition
import Describing
import Files
import Kernels

/// What the machine gives to some threads at this moment.
struct MeasuredLimits {
  let threads: Int
  /// Bytes a second from memory.
  let readRate: Double
  /// Operations a second, for the kinds of multiply-add that the level in force has.
  let peaks: [(arithmetic: MachineLimits.Arithmetic, rate: Double)]

  init(threads: Int) {
    let limits = MachineLimits(pool: ThreadPool(threads: threads))
    self.threads = threads
    readRate = limits.readRate()
    peaks = MachineLimits.Arithmetic.allCases.compactMap { kind in limits.peak(kind).map { (kind, $0) } }
  }

  var json: JSONValue {
    var object = JSONObject()
    object["threads"] = .integer(threads)
    object["read_bytes_per_second"] = .number(readRate)
    for peak in peaks { object["\(peak.arithmetic.rawValue)_flops_per_second"] = .number(peak.rate) }
    return .object(object)
  }

  static func text(_ measured: [MeasuredLimits]) -> String {
    var table = TextTable([.right] + Array(repeating: .right, count: 1 + MachineLimits.Arithmetic.allCases.count))
    table.add(["threads", "memory GB/s"] + MachineLimits.Arithmetic.allCases.map { "\($0.rawValue) GFLOP/s" })
    for limits in measured {
      let peaks = MachineLimits.Arithmetic.allCases.map { kind in
        limits.peaks.first { $0.arithmetic == kind }.map { Quantity.digits($0.rate / 1e9) } ?? "–"
      }
      table.add([String(limits.threads), Quantity.digits(limits.readRate / 1e9)] + peaks)
    }
    return table.text()
  }
}
