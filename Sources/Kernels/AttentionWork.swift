import CKernels

/// The division of attention into pieces that threads take one after the other, the longest first.
///
/// Spans of many queries are cut into key heads and runs of panels of queries. Spans of few are cut into runs of keys,
/// whose partial results are merged at the end in the order of the keys. Where the cuts fall changes no bit of a span of
/// many queries, and for few it depends on the count of keys alone; so which thread takes what, and how many there are,
/// changes nothing.
struct AttentionWork {
  private let attention: UnsafePointer<ck_attention>
  private let session: PoolSession
  private let kernels: OpaquePointer
  private let parts: Int

  private let next: UnsafeMutablePointer<Int>  // the number of the next piece
  private let spans: UnsafeMutablePointer<ck_attention_span>
  private let plans: UnsafeMutablePointer<SpanPlan>
  private let spanCount: Int
  private let pieces: Int
  private let merged: Int  // floats of partial results
  private let scratch: Int
  private let partials: UnsafeMutablePointer<Float>

  /// How one span is cut.
  private struct SpanPlan {
    var few: Bool
    /// Many: runs of panels; few: runs of keys.
    var runs: Int
    /// Many: queries in a run; few: keys in a run.
    var length: Int
    /// The keys that any query sees.
    var seen: Range<Int>
    /// Few: pieces into which the key heads of a run are cut.
    var headPieces: Int
    /// Where this span's pieces begin among all.
    var firstPiece: Int
    /// Few: where its partial results begin, and the floats of one.
    var partials: Int
    var partialFloats: Int
  }

  /// Up to this many queries that share a key head, reading keys and values once is what counts.
  private static let mostFew = 16
  /// Runs of keys of one span of few queries.
  private static let mostRuns = 16
  /// Panels that are computed together at most: their queries and sums share a second-level cache with a block of keys.
  private static let mostPanels = 16
  private static let panelFloats = 1 << 17
  /// Products that keep one thread busy for about a microsecond.
  private static let productsPerPart = 32_768.0

  /// Floats of partial results that one thread merges in about a microsecond.
  private static let floatsPerMerger = 32_768

  init(
    _ attention: UnsafePointer<ck_attention>, _ given: UnsafeBufferPointer<AttentionKernel.Span>, session: PoolSession
  ) {
    self.attention = attention
    self.session = session
    kernels = ck_current()
    let settings = attention.pointee
    let group = settings.heads / settings.key_heads
    let width = settings.key_width + settings.value_width

    var products = 0.0
    var partialCount = 0
    for span in given where span.count > 0 {
      var stored = span.stored
      let keys = Self.seen(&stored).count
      products += Double(span.count) * Double(settings.heads * width) * Double(keys)
      if span.count * group <= Self.mostFew { partialCount += Self.mostRuns * ck_partial_floats(attention, span.count) }
    }
    parts = products < Self.productsPerPart ? 1 : Int(min(Double(session.threads), products / Self.productsPerPart))

    let spanBytes = given.count * MemoryLayout<ck_attention_span>.stride
    let planBytes = given.count * MemoryLayout<SpanPlan>.stride
    let tableFloats = (64 + spanBytes + planBytes + 63) / 64 * 16
    let memory = session.sharedFloats(tableFloats + partialCount)
    partials = memory + tableFloats
    let tables = UnsafeMutableRawPointer(memory)
    next = tables.bindMemory(to: Int.self, capacity: 1)
    next.initialize(to: 0)
    spans = (tables + 64).bindMemory(to: ck_attention_span.self, capacity: given.count)
    plans = (tables + 64 + spanBytes).bindMemory(to: SpanPlan.self, capacity: given.count)

    // Panels together: as many as fit, but several pieces for each thread.
    var together = max(1, min(Self.mostPanels, Self.panelFloats / (width * Int(CK_QUERIES))))
    func piecesOfMany() -> Int {
      given.reduce(0) { count, span in
        let queries = span.count * group
        return queries <= Self.mostFew ? count : count + settings.key_heads * cut(queries, together * Int(CK_QUERIES))
      }
    }
    while together > 2, parts > 1, piecesOfMany() < 4 * parts { together /= 2 }

    var (count, pieces, partialOffset, scratch) = (0, 0, 0, 0)
    var runsOfFew = 0
    for span in given where span.count > 0 {
      let queries = span.count * group
      (spans + count).initialize(to: span.stored)
      let seen = Self.seen(spans + count)
      let few = queries <= Self.mostFew
      var plan = SpanPlan(
        few: few, runs: 0, length: together * Int(CK_QUERIES), seen: seen, headPieces: 1, firstPiece: 0,
        partials: 0, partialFloats: 0)
      if few {
        // Where nothing is seen one empty run says so.
        plan.length = Int(CK_FEW_KEYS) * max(1, cut(seen.count, Int(CK_FEW_KEYS) * Self.mostRuns))
        plan.runs = max(1, cut(seen.count, plan.length))
        plan.partialFloats = ck_partial_floats(attention, span.count)
        plan.partials = partialOffset
        partialOffset += plan.runs * plan.partialFloats
        scratch = max(scratch, ck_attend_few_scratch(attention, spans + count))
        runsOfFew += plan.runs
      } else {
        plan.runs = cut(queries, plan.length)
        scratch = max(scratch, ck_attend_tiles_scratch(attention, spans + count, together))
      }
      (plans + count).initialize(to: plan)
      count += 1
    }
    // The pieces of many queries come first: they take longer.
    let headPieces = max(1, min(settings.key_heads, cut(2 * parts, max(1, runsOfFew))))
    for many in [true, false] {
      for index in 0..<count where plans[index].few != many {
        plans[index].firstPiece = pieces
        plans[index].headPieces = many ? settings.key_heads : parts == 1 ? 1 : headPieces
        pieces += plans[index].runs * plans[index].headPieces
      }
    }
    (spanCount, self.pieces, merged, self.scratch) = (count, pieces, partialOffset, scratch)
  }

  /// Computes everything.
  func run() {
    guard spanCount > 0 else { return }
    session.run(parts: min(parts, pieces), Attending(work: self))
    guard merged > 0 else { return }
    let mergers = min(parts, max(1, merged / Self.floatsPerMerger))
    session.run(parts: mergers, Merging(work: self, parts: mergers))
  }

  /// Takes pieces as long as there are any.
  private struct Attending: PoolJob {
    let work: AttentionWork

    func run(part: Int, thread: Int) {
      let scratch = work.session.floats(work.scratch, thread: thread)
      while true {
        let piece = ck_add_to_counter(work.next, 1)
        if piece >= work.pieces { break }
        work.compute(piece, scratch)
      }
    }
  }

  /// Merges the partial results of some heads.
  private struct Merging: PoolJob {
    let work: AttentionWork
    let parts: Int

    func run(part: Int, thread: Int) {
      let own = piece(part, of: parts, count: work.attention.pointee.heads)
      for index in 0..<work.spanCount where work.plans[index].few {
        let plan = work.plans[index]
        ck_merge_partials(
          work.kernels, work.attention, work.spans + index, work.partials + plan.partials, plan.runs, own.lowerBound,
          own.upperBound)
      }
    }
  }

  private func compute(_ piece: Int, _ scratch: UnsafeMutablePointer<Float>) {
    var index = 0
    while !(piece >= plans[index].firstPiece
      && piece < plans[index].firstPiece + plans[index].runs * plans[index].headPieces)
    {
      index += 1
    }
    let plan = plans[index]
    let span = spans + index
    let keyHeads = attention.pointee.key_heads
    let (run, headPiece) = (piece - plan.firstPiece).quotientAndRemainder(dividingBy: plan.headPieces)
    if plan.few {
      let from = plan.seen.lowerBound + run * plan.length
      let to = min(from + plan.length, plan.seen.upperBound)
      ck_attend_few(
        kernels, attention, span, from, to, keyHeads * headPiece / plan.headPieces,
        keyHeads * (headPiece + 1) / plan.headPieces, partials + plan.partials + run * plan.partialFloats, scratch)
    } else {
      // The last queries see the most keys.
      let from = (plan.runs - 1 - run) * plan.length
      let to = min(from + plan.length, span.pointee.count * (attention.pointee.heads / keyHeads))
      ck_attend_tiles(kernels, attention, span, headPiece, from, to, scratch)
    }
  }

  /// The positions of the keys that any query of the span sees.
  private static func seen(_ span: UnsafePointer<ck_attention_span>) -> Range<Int> {
    let first = ck_first_seen(span, span.pointee.start)
    return first..<ck_end_seen(span, span.pointee.start + span.pointee.count - 1)
  }
}

/// How many pieces of `length` cover `count`.
private func cut(_ count: Int, _ length: Int) -> Int { (count + length - 1) / length }
