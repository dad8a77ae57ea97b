/// How the tiles of a picture are laid together where their rows stand in a text: as the picture lies, without padding, each line
/// of rows ended by a learned one. The rows of the whole picture stand before them, and such a row ends one that is a single tile.
public struct PictureLines: Sendable, Hashable {
  /// As many rows as so many tiles have are kept, and more are resampled to fewer; nil where all are kept.
  public let limit: Int?

  /// Lines of the rows of at most `limit` tiles.
  public init(limit: Int?) { self.limit = limit }

  /// What decides numbers.
  public var attributes: [Attribute] { [Attribute("limit", limit)] }
}
