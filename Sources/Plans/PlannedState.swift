import Formats

/// What a step carries of a sequence from one pass to the next.
public struct PlannedState: Sendable, Hashable {
  /// How a state grows.
  public enum Extent: Sendable, Hashable {
    /// One row for each token of the sequence.
    case perToken
    /// One row for each token, of which only the last `window` are read.
    case window(Int)
    /// One row, whatever the length.
    case fixed
  }

  /// How exactly a state must be stored.
  public enum Precision: Sendable, Hashable {
    /// As f32: it is read, changed and written again, so that errors of rounding would add up.
    case full
    /// In any format of `PlannedState.formats`: a row is written once, and widened when it is read.
    case any
  }

  /// How elements are stored.
  public typealias Format = StorageFormat

  /// The formats that a state of any precision can be stored in.
  public static let formats: [Format] = [.f32, .f16, .bf16, .q8_0]

  /// The canonical name, such as `layers.0.attn.k`.
  public let name: TensorName
  /// Elements in a row.
  public let width: Int
  /// How it grows.
  public let extent: Extent
  /// How exactly it must be stored.
  public let precision: Precision
  /// What its rows stand for.
  public let axis: RowAxis

  /// The state `name` of `width` elements a row.
  public init(name: TensorName, width: Int, extent: Extent, precision: Precision, axis: RowAxis = .tokens) {
    self.name = name
    self.width = width
    self.extent = extent
    self.precision = precision
    self.axis = axis
  }

  /// How many rows are needed for a sequence of `length` tokens.
  public func rows(length: Int) -> Int {
    switch extent {
    case .perToken: length
    case .window(let window): min(window, length)
    case .fixed: 1
    }
  }

  /// The format it is stored in when `wanted` is asked for: f32 where it must be exact, and bf16 where a row is not whole
  /// blocks.
  public func format(wanted: Format) -> Format {
    if precision == .full { return .f32 }
    return width % wanted.elementsPerBlock == 0 ? wanted : .bf16
  }

  /// Bytes of a row when `wanted` is asked for.
  public func rowBytes(wanted: Format) -> Int {
    let format = format(wanted: wanted)
    return width / format.elementsPerBlock * format.bytesPerBlock
  }
}

/// A state of a plan being written.
public struct StateReference: Sendable, Hashable {
  /// The state's index among the plan's states.
  public let index: Int
}
