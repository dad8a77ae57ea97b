/// How the rows of an axis stand for a picture, cut into squares: row by row, each with the numbers of its pixels, channel by channel.
public struct PatchGrid: Sendable, Hashable {
  /// Pixels along a side of a patch.
  public let size: Int
  /// Numbers of a pixel.
  public let channels: Int
  /// Rows before the first patch, given as zeros, in which learned vectors stand.
  public let rowsBefore: Int

  /// Equal frames of a film that a patch holds.
  public let frames: Int
  /// Patches along a side of the blocks in which they stand; 1 where they stand row by row.
  public let merge: Int

  /// Patches of `size`×`size` pixels.
  public init(size: Int, channels: Int, rowsBefore: Int, frames: Int = 1, merge: Int = 1) {
    self.size = size
    self.channels = channels
    self.rowsBefore = rowsBefore
    self.frames = frames
    self.merge = merge
  }

  /// Numbers of a patch.
  public var width: Int { channels * frames * size * size }
}
