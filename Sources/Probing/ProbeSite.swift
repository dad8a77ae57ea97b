import Components

/// Where numbers are read or replaced: some columns of a value, right after the step that writes it.
struct ProbeSite: Sendable, Hashable {
  /// The step that writes the value.
  let step: Int
  /// The value.
  let value: Value
  /// The columns.
  let columns: Range<Int>
  /// A value that is taken away first, so that what is read and replaced is what was added to it; nil for none. It is as wide
  /// as `value`, and is written earlier.
  let base: Base?

  /// A value and the step that writes it.
  struct Base: Sendable, Hashable {
    let step: Int
    let value: Value
  }

  init(step: Int, value: Value, columns: Range<Int>? = nil, base: Base? = nil) {
    self.step = step
    self.value = value
    self.columns = columns ?? 0..<value.width
    self.base = base
  }
}

/// A part of a model that can be changed by itself, under its canonical name.
public struct ProbedPart: Sendable, Hashable {
  /// What a part is.
  public enum Kind: String, Sendable, CaseIterable {
    /// What one head gives before the heads are joined: `layers.3.attn.head.7`.
    case head
    /// What a sublayer gives to the residual stream: `layers.3.mlp`.
    case sublayer
    /// What a layer adds to the residual stream: `layers.3`.
    case layer
    /// What a step gives: `layers.3.attn.q`.
    case value
  }

  /// Its name.
  public let name: String
  /// What it is.
  public let kind: Kind
  /// Where its numbers are; several where several steps compute a head.
  let sites: [ProbeSite]
  /// The layer it stands in; nil outside the layers.
  public let layer: Int?
}

/// Numbers of a site, a row for each token of the text that was read.
public struct RecordedRows: Sendable {
  /// Numbers in a row.
  public let width: Int
  /// The rows, one after the other.
  public internal(set) var numbers: [Float] = []

  /// How many rows there are.
  public var count: Int { width > 0 ? numbers.count / width : 0 }

  init(width: Int) { self.width = width }

  /// Row `index`.
  func row(_ index: Int) -> ArraySlice<Float> { numbers[index * width..<(index + 1) * width] }

  /// The mean of all rows.
  var mean: [Float] {
    var sums = [Double](repeating: 0, count: width)
    for row in 0..<count { for (column, number) in self.row(row).enumerated() { sums[column] += Double(number) } }
    return sums.map { Float($0 / Double(max(1, count))) }
  }
}

/// A site whose numbers are replaced while a pass runs.
struct SiteChange: Sendable {
  /// What numbers are replaced by.
  enum Replacement: Sendable {
    case zeros
    /// The same row for every token.
    case row([Float])
    /// The rows of another text, by position; of a shorter one again from its first.
    case rows(RecordedRows)
  }

  let site: ProbeSite
  let replacement: Replacement
  /// The positions at which they are replaced; nil for all.
  let positions: Set<Int>?
}
