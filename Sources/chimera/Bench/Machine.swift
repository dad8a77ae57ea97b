import Composition
import Describing
import Essentials
import Files
import Kernels

/// The machine that a measurement was made on, as far as speed depends on it.
struct Machine {
  /// The processor's name.
  let processor: String
  /// Instructions that kernels can use.
  let features: [String]
  /// The kernels in force, and all that this processor can run, slowest first.
  let kernels: String
  let availableKernels: [String]
  /// Threads that are used when nobody says otherwise.
  let threads: Int
  /// Processors that the system shows.
  let processors: Int
  /// Bytes of memory.
  let memory: Int
  /// Caches of the first processor: level, kind, bytes, and the processors that share it.
  let caches: [(name: String, bytes: Int, sharedBy: String)]
  /// How the system gives huge pages to memory that asks for them; nil where it does not say.
  let hugePages: String?

  init() {
    let information = Machine.read("/proc/cpuinfo")
    func field(_ names: String...) -> String? {
      for name in names {
        guard
          let line = information.split(separator: "\n").first(where: {
            $0.hasPrefix(name + "\t") || $0.hasPrefix(name + ":")
          })
        else { continue }
        return line.split(separator: ":", maxSplits: 1).last.map { $0.trimmed }
      }
      return nil
    }
    processor = field("model name", "Model", "CPU implementer") ?? Machine.systemName ?? "unknown"
    let flags = Set((field("flags", "Features") ?? "").split(separator: " ").map(String.init))
    features = Machine.interesting.filter(flags.contains)
    kernels = KernelLevel.current.name
    availableKernels = KernelLevel.available.map(\.name)
    threads = ThreadPool.preferredThreadCount()
    processors = ProcessInfo.processInfo.activeProcessorCount
    memory = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    caches = (0..<8).compactMap { index in
      let folder = "/sys/devices/system/cpu/cpu0/cache/index\(index)/"
      let (level, kind, size) = (
        Machine.read(folder + "level"), Machine.read(folder + "type"), Machine.read(folder + "size")
      )
      guard !level.isEmpty, size.hasSuffix("K"), let kibibytes = Int(size.dropLast()) else { return nil }
      let suffix = kind == "Data" ? "d" : kind == "Instruction" ? "i" : ""
      return ("L\(level)\(suffix)", kibibytes << 10, Machine.read(folder + "shared_cpu_list"))
    }
    // `always [madvise] never`: the word in brackets.
    let modes = Machine.read("/sys/kernel/mm/transparent_hugepage/enabled")
    hugePages = modes.split(separator: " ").first { $0.hasPrefix("[") }.map { String($0.dropFirst().dropLast()) }
  }

  private static let interesting = [
    "fma", "f16c", "avx", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16", "amx_bf16", "amx_int8", "asimd", "asimdhp", "asimddp", "bf16", "i8mm", "sve",
  ]

  private static func read(_ path: String) -> String {
    ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").trimmed
  }

  private static var systemName: String? {
    #if canImport(Darwin)
      var size = 0
      guard sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0, size > 0 else { return nil }
      var bytes = [UInt8](repeating: 0, count: size)
      guard sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0) == 0 else { return nil }
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    #else
      return nil
    #endif
  }

  var json: JSONObject {
    var object = JSONObject()
    object["processor"] = .string(processor)
    object["features"] = .array(features.map { .string($0) })
    object["kernels"] = .string(kernels)
    object["available_kernels"] = .array(availableKernels.map { .string($0) })
    object["threads"] = .integer(threads)
    object["processors"] = .integer(processors)
    object["memory_bytes"] = .integer(memory)
    object["caches"] = .array(
      caches.map { cache in
        var object = JSONObject()
        object["name"] = .string(cache.name)
        object["bytes"] = .integer(cache.bytes)
        object["shared_by"] = .string(cache.sharedBy)
        return .object(object)
      })
    object["huge_pages"] = hugePages.map { .string($0) } ?? .null
    return object
  }

  var text: String {
    var table = TextTable([.left, .left], flexible: [1])
    table.add("processor", processor)
    if !features.isEmpty { table.add("features", features.joined(separator: " ")) }
    table.add("kernels", "\(kernels) of \(availableKernels.joined(separator: ", "))")
    table.add("threads", "\(threads) of \(processors) processors")
    table.add("memory", Quantity.bytes(memory) + (hugePages.map { ", huge pages: \($0)" } ?? ""))
    for cache in caches { table.add(cache.name, "\(Quantity.bytes(cache.bytes)), processors \(cache.sharedBy)") }
    return table.text(width: Console.width)
  }
}
