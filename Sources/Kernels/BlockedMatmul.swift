import Formats
import CKernels

/// One matrix multiplication, output[rows, columns] (+)= left[rows, depth] · right[depth, columns], cut into blocks that fit
/// the caches.
///
/// The depth is cut into blocks; for each, all threads pack the left side once into shared memory (tiles of rows side
/// by side), then each thread takes a rectangle of the output, packs a few panels of the right side into its own
/// second-level cache and runs the register tiles over its rows. Widening a stored format happens in that packing and nowhere else.
/// An output is summed block by block in the order of the depth, so it does not depend on the number of threads.
/// Source of the scheme: Goto, van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008,
/// https://doi.org/10.1145/1356052.1356053.
struct BlockedMatmul {
  let rows: Int
  let columns: Int
  let depth: Int
  let left: UnsafePointer<Float>
  let leftStride: Int
  /// Whether left is stored [depth, rows].
  let leftTransposed: Bool
  let right: WeightMatrix
  /// Whether right is stored [depth, columns] rather than as rows of weights, [columns, depth].
  let rightTransposed: Bool
  let output: UnsafeMutablePointer<Float>
  let outputStride: Int
  let bias: UnsafePointer<Float>?
  let accumulate: Bool
  /// The kernels in narrower arithmetic than f32, where there are any.
  private let lowPrecision: OpaquePointer?

  init(
    rows: Int, columns: Int, depth: Int, left: UnsafePointer<Float>, leftStride: Int, leftTransposed: Bool,
    right: WeightMatrix, rightTransposed: Bool, output: UnsafeMutablePointer<Float>, outputStride: Int,
    bias: UnsafePointer<Float>?, accumulate: Bool, type: ComputeType
  ) {
    self.rows = rows
    self.columns = columns
    self.depth = depth
    self.left = left
    self.leftStride = leftStride
    self.leftTransposed = leftTransposed
    self.right = right
    self.rightTransposed = rightTransposed
    self.output = output
    self.outputStride = outputStride
    self.bias = bias
    self.accumulate = accumulate
    lowPrecision = withUnsafePointer(to: right.stored) {
      ck_low_precision_panels(ck_current(), $0, rightTransposed, type.code)
    }
  }

  /// Depth of a block, and panels of 32 columns packed together: 256 KiB, a part of a second-level cache. Where the
  /// right side is read along its rows, wide and shallow; along its columns, lowPrecision and deep (measured).
  private var depthOfBlock: Int { (rightTransposed ? 512 : 1024) * (packsFloats ? 1 : 2) }
  private var packsFloats: Bool { lowPrecision.map { ck_low_precision_packs_floats($0) } ?? true }
  private var panelsTogether: Int { rightTransposed ? 4 : 2 }
  /// Fewer floats than this are packed before another thread could be told to help.
  private static let worthSharing = 8192
  /// Floats of the packed left side: 4 MiB.
  private static let mostPacked = 1 << 20

  func run(on pool: ThreadPool) {
    guard rows > 0, columns > 0 else { return }
    guard depth > 0 else {
      // A sum of nothing.
      if !accumulate { for row in 0..<rows { (output + row * outputStride).update(repeating: 0, count: columns) } }
      return
    }
    let kernels = ck_current()
    let tileRows = lowPrecision.map { ck_low_precision_tile_rows($0) } ?? ck_tile_rows(kernels)
    let blocks = (depth + depthOfBlock - 1) / depthOfBlock
    let multiple =
      rightTransposed && lowPrecision == nil
      ? 8 : max(lowPrecision.map { ck_low_precision_multiple($0) } ?? 16, right.format.elementsPerBlock)
    let deepest = min(depth, roundUp((depth + blocks - 1) / blocks, to: multiple))
    let rowsTogether = max(tileRows, Self.mostPacked / deepest / tileRows * tileRows)
    var stored = right.stored
    withUnsafePointer(to: &stored) { stored in
      pool.exclusively { session in
        for firstRow in stride(from: 0, to: rows, by: rowsTogether) {
          let count = min(rowsTogether, rows - firstRow)
          let grid = Grid(for: session, rows: count, columns: columns, depth: depth, tileRows: tileRows)
          let packed = session.sharedFloats(min(rowsTogether, rows) * packedFloats(depth: deepest))
          for k in stride(from: 0, to: depth, by: deepest) {
            let block = Block(
              kernels: kernels, right: stored, firstRow: firstRow, rows: count, k: k, depth: min(deepest, depth - k),
              tileRows: tileRows, packed: packed)
            let packers = count * block.depth < Self.worthSharing ? 1 : grid.parts
            session.run(parts: packers, Packing(matmul: self, block: block, parts: packers))
            session.run(
              parts: grid.parts,
              Multiplying(
                matmul: self, block: block, grid: grid, session: session,
                panelFloats: panelsTogether * panelFloats(depth: deepest)))
          }
        }
      }
    }
  }

  /// The floats one packed row of the left side takes, and one panel of the right.
  private func packedFloats(depth: Int) -> Int { lowPrecision.map { ck_low_precision_row_floats($0, depth) } ?? depth }
  private func panelFloats(depth: Int) -> Int {
    lowPrecision.map { ck_low_precision_panel_floats($0, depth) } ?? Int(CK_PANEL) * depth
  }

  /// The left side of a block, packed by all threads.
  private struct Packing: PoolJob {
    let matmul: BlockedMatmul
    let block: Block
    let parts: Int

    func run(part: Int, thread: Int) { matmul.pack(block, part: part, of: parts) }
  }

  /// The rectangles of a block's output.
  private struct Multiplying: PoolJob {
    let matmul: BlockedMatmul
    let block: Block
    let grid: Grid
    let session: PoolSession
    let panelFloats: Int

    func run(part: Int, thread: Int) {
      matmul.multiply(block, grid: grid, part: part, panels: session.floats(panelFloats, thread: thread))
    }
  }

  /// Some rows and some depth of the matmul, and where their left side is packed.
  private struct Block {
    let kernels: OpaquePointer
    let right: UnsafePointer<ck_weight>
    let firstRow: Int
    let rows: Int
    let k: Int
    let depth: Int
    let tileRows: Int
    let packed: UnsafeMutablePointer<Float>
  }

  private func pack(_ block: Block, part: Int, of parts: Int) {
    let own = piece(part, of: parts, count: block.rows, multiple: block.tileRows)
    guard !own.isEmpty else { return }
    let row = block.firstRow + own.lowerBound
    let from = leftTransposed ? left + block.k * leftStride + row : left + row * leftStride + block.k
    let packed = block.packed + own.lowerBound * packedFloats(depth: block.depth)
    if let lowPrecision {
      ck_low_precision_pack_rows(lowPrecision, from, leftStride, leftTransposed, own.count, block.depth, packed)
    } else {
      ck_pack_rows(block.kernels, from, leftStride, leftTransposed, own.count, block.depth, packed)
    }
  }

  private func multiply(_ block: Block, grid: Grid, part: Int, panels: UnsafeMutablePointer<Float>) {
    let ownRows = piece(part / grid.across, of: grid.down, count: block.rows, multiple: block.tileRows)
    let ownColumns = piece(part % grid.across, of: grid.across, count: columns, multiple: Int(CK_PANEL))
    guard !ownRows.isEmpty else { return }
    for column in stride(from: ownColumns.lowerBound, to: ownColumns.upperBound, by: panelsTogether * Int(CK_PANEL)) {
      let end = min(column + panelsTogether * Int(CK_PANEL), ownColumns.upperBound)
      let left = block.packed + ownRows.lowerBound * packedFloats(depth: block.depth)
      let to = output + (block.firstRow + ownRows.lowerBound) * outputStride + column
      let add = accumulate || block.k > 0, bias = block.k == 0 ? bias.map { $0 + column } : nil
      if let lowPrecision {
        ck_low_precision_pack_panels(
          lowPrecision, block.right, rightTransposed, column, end, block.k, block.depth, panels)
        ck_low_precision_multiply_panels(
          lowPrecision, right.format.code, left, ownRows.count, panels, end - column, block.depth, to, outputStride,
          add, bias
        )
      } else {
        ck_pack_panels(block.kernels, block.right, rightTransposed, column, end, block.k, block.depth, panels)
        ck_multiply_panels(
          block.kernels, left, ownRows.count, panels, end - column, block.depth, to, outputStride, add, bias)
      }
    }
  }
}

/// How the output's rectangle is shared: `down` × `across` nearly equal pieces, one or a few per thread.
private struct Grid {
  var down = 1
  var across = 1
  var parts: Int { down * across }

  /// Packing a column of the right side costs about as much as multiplying it with this many rows (measured).
  private static let rowsPerPacking = 40
  /// Packing a row of the left side that more than one thread reads costs about as much more as multiplying it with this
  /// many panels: its lines are in the caches of the threads that read them last, and must be taken from there (measured).
  private static let panelsPerSharing = 2
  /// A piece narrower than this would read the packed left side more often than it is worth.
  private static let fewestPanels = 2

  init(for session: PoolSession, rows: Int, columns: Int, depth: Int, tileRows: Int) {
    // Below this, waiting for the others takes longer than doing it all.
    let worth = rows * columns / 1024 * depth / 256
    let most = min(session.threads, max(1, worth))
    var best = Int.max
    let tiles = roundUp(rows, to: tileRows) / tileRows, panels = roundUp(columns, to: Int(CK_PANEL)) / Int(CK_PANEL)
    for down in 1...most {
      let across = most / down
      let own = ((panels + across - 1) / across) * (((tiles + down - 1) / down) * tileRows + Self.rowsPerPacking)
      let longest = own + (across > 1 ? Self.panelsPerSharing * rows / most : 0)
      if longest < best { (best, self.down, self.across) = (longest, down, across) }
    }
    // Narrower pieces pack nothing twice, and threads that are done early take them from those held up.
    let finer = min(session.mostParts / parts, panels / across / Self.fewestPanels, worth / parts)
    if parts > 1 && finer > 1 { across *= finer }
  }
}

private func roundUp(_ value: Int, to multiple: Int) -> Int { (value + multiple - 1) / multiple * multiple }
