/// What a template may use: enough for every published one, and little enough that a hostile one ends within 0.1 s.
enum TemplateLimits {
  /// Bytes of a template.
  static let source = 1 << 20
  /// Levels of expressions and statements inside one another while reading.
  static let nesting = 100
  /// Operators, filters or attributes in a row.
  static let chain = 200
  /// Levels of evaluation: macros that call one another, loops in loops.
  static let depth = 400
  /// Levels of lists and mappings inside one another.
  static let values = 150
  /// Items of a `range`, as Jinja's sandbox has it.
  static let range = 100_000
  /// Steps for a template by itself; each byte of what it is given brings `stepsPerByte` more.
  static let steps = 150_000
  /// Steps that a byte of the messages is worth: they are the user's own, and long ones need more.
  static let stepsPerByte = 16
  /// Bytes that may be written for a template by itself; each byte of what it is given brings `bytesPerByte` more.
  static let bytes = 4 << 20
  /// Bytes of text that a byte of the messages is worth.
  static let bytesPerByte = 64
}

/// What is left of the steps and characters of one rendering.
final class TemplateBudget {
  private var steps: Int
  private var bytes: Int
  private let allowed: (steps: Int, bytes: Int)

  /// A budget for input of `weight` bytes.
  init(weight: Int) {
    let weight = min(weight, 1 << 32)
    steps = TemplateLimits.steps + weight * TemplateLimits.stepsPerByte
    bytes = TemplateLimits.bytes + weight * TemplateLimits.bytesPerByte
    allowed = (steps, bytes)
  }

  /// Takes `count` steps; throws when there are not as many.
  func spend(_ count: Int = 1) throws(TemplateFault) {
    steps -= count
    if steps < 0 { throw TemplateFault("the template takes more than \(allowed.steps) steps", kind: .limit) }
  }

  /// Takes room for `count` bytes of new text, and the steps of writing them.
  func write(_ count: Int) throws(TemplateFault) {
    bytes -= count
    if bytes < 0 { throw TemplateFault("the template writes more than \(allowed.bytes) bytes", kind: .limit) }
    try spend(1 + count >> 6)
  }

  /// Takes room for `count` copies of `size` bytes or items.
  func write(_ size: Int, times count: Int) throws(TemplateFault) {
    let (total, overflow) = size.multipliedReportingOverflow(by: max(0, count))
    try write(overflow ? Int.max / 2 : total)
  }
}
