import Essentials
import Kernels

extension LinearAttend {
  /// In a chunk, with E = exp(c_t − c_s) for s ≤ t, S the state before it and dS' the gradient of the state after it:
  ///
  ///     W = E ⊙ q·kᵀ, P = E ⊙ dy·vᵀ;   dq += P·k + exp(c_t)·dy·Sᵀ,   dk += Pᵀ·q + exp(c_n − c_s)·v·dS'ᵀ
  ///     dv += Wᵀ·dy + exp(c_n − c_s)·k·dS',   dS = exp(c_n)·dS' + Σ exp(c_t)·q_tᵀ·dy_t
  ///     dc_t = Σ_s (W ⊙ dy·vᵀ)_ts − Σ_s (W ⊙ dy·vᵀ)_st + …, and dg_t the sum of dc from t on
  ///
  /// States are computed again from k and v: saved, they would take (key width / chunk) times the memory of the values.
  /// They and their gradients come first, chunk after chunk; then chunks do not depend on each other.
  public func backward(_ context: BackwardContext) {
    let dy = context.outputGradient()
    for sequence in context.sequences where !sequence.rows.isEmpty {
      let work = Chunks(
        self, sequence.rows, q: context.input(0), k: context.input(1), v: context.input(2),
        g: decay == .given ? context.input(3) : nil)
      let states = context.sharedScratch
      let gradients = states + (work.count - 1) * heads * work.stateWidth
      context.parallel(heads) { own, worker in
        for head in own {
          work.findStates(of: head, from: nil, into: states, worker.scratch)
          work.findStateGradients(of: head, dy, into: gradients, worker.scratch)
        }
      }
      // A worker takes all heads that share keys, whose gradients add up.
      context.parallel(work.count * keyHeads) { own, worker in
        for piece in own {
          work.addGradients(piece / keyHeads, keyHead: piece % keyHeads, dy, context, states, gradients, worker.scratch)
        }
      }
    }
  }
}

extension LinearAttend.Chunks {
  private func boundary(_ after: Int, _ head: Int, in memory: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<
    Float
  > {
    memory + (after * settings.heads + head) * stateWidth
  }

  /// Computes the gradients of the states of `head` after every chunk but the last, from the last back.
  func findStateGradients(
    of head: Int, _ dy: Rows, into gradients: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
  ) {
    let memory = memory(scratch)
    for chunk in (1..<max(1, count)).reversed() {
      let rows = rows(of: chunk)
      let own = boundary(chunk - 1, head, in: gradients)
      let last = accumulate(rows, head, into: memory.sums)
      if chunk < count - 1 {
        multiply(
          boundary(chunk, head, in: gradients), by: Float(exp(last)), into: own, count: stateWidth, accumulate: false)
      } else {
        own.update(repeating: 0, count: stateWidth)
      }
      fadeQueries(rows, head, memory)
      smallMatmul(
        MatrixPart(memory.faded, stride: keys, transposed: true),
        MatrixPart(dy[rows.lowerBound] + head * values, stride: dy.width), rows: keys, columns: values,
        depth: rows.count,
        into: own, stride: values, accumulate: true, scratch: memory.packed)
    }
  }

  /// Adds the gradients of one chunk and the heads that share the keys `keyHead`.
  func addGradients(
    _ chunk: Int, keyHead: Int, _ dy: Rows, _ context: BackwardContext, _ states: UnsafeMutablePointer<Float>,
    _ gradients: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
  ) {
    let (rows, memory) = (rows(of: chunk), memory(scratch))
    let (n, first, group) = (rows.count, rows.lowerBound, settings.heads / settings.keyHeads)
    let at = keyHead * keys
    let (dq, dk) = (context.inputGradient(0), context.inputGradient(1))
    for (index, gradient) in [dq, dk].enumerated() {
      guard let gradient, !context.addsToInputGradient(index) else { continue }
      for row in rows { (gradient[row] + at).update(repeating: 0, count: keys) }
    }
    multiplyKeys(rows, keyHead * group, memory)
    memory.total.update(repeating: 0, count: n * n)
    for head in keyHead * group..<(keyHead + 1) * group {
      let before = chunk > 0 ? boundary(chunk - 1, head, in: states) : nil
      let after = chunk < count - 1 ? boundary(chunk, head, in: gradients) : nil
      addHead(head, rows, dy, context, before: before, after: after, memory)
    }
    if let dq {
      smallMatmul(
        MatrixPart(memory.total, stride: n), MatrixPart(k[first] + at, stride: k.width), rows: n, columns: keys,
        depth: n,
        into: dq[first] + at, stride: dq.width, accumulate: true, scratch: memory.packed)
    }
    if let dk {
      smallMatmul(
        MatrixPart(memory.total, stride: n, transposed: true), MatrixPart(q[first] + at, stride: q.width), rows: n,
        columns: keys,
        depth: n, into: dk[first] + at, stride: dk.width, accumulate: true, scratch: memory.packed)
    }
  }

  /// What one head adds to all gradients; its P to `total`.
  private func addHead(
    _ head: Int, _ rows: Range<Int>, _ dy: Rows, _ context: BackwardContext, before: UnsafeMutablePointer<Float>?,
    after: UnsafeMutablePointer<Float>?, _ memory: Memory
  ) {
    let (n, first, at, keyAt) = (rows.count, rows.lowerBound, head * values, keyOffset(head))
    let (dq, dk, dv) = (context.inputGradient(0), context.inputGradient(1), context.inputGradient(2))
    let last = accumulate(rows, head, into: memory.sums)
    // P and, by it, how c moves the results of the chunk alone.
    smallMatmul(
      MatrixPart(dy[first] + at, stride: dy.width), MatrixPart(v[first] + at, stride: v.width, transposed: true),
      rows: n,
      columns: n,
      depth: values, into: memory.weights, stride: n, accumulate: false, scratch: memory.packed)
    weigh(memory.weights, n, memory, into: memory.slopes)
    add(memory.slopes, scaledBy: 1, to: memory.total, count: n * n)
    multiply(memory.slopes, with: memory.scores, into: memory.slopes, count: n * n, accumulate: false)
    for t in 0..<n { memory.late[t] = sum(memory.slopes + t * n, count: n) }
    for t in 0..<n { add(memory.slopes + t * n, scaledBy: -1, to: memory.late, count: n) }
    memory.early.update(repeating: 0, count: n)

    if let dv {
      weigh(memory.scores, n, memory, into: memory.weights)
      smallMatmul(
        MatrixPart(memory.weights, stride: n, transposed: true), MatrixPart(dy[first] + at, stride: dy.width), rows: n,
        columns: values, depth: n, into: dv[first] + at, stride: dv.width, accumulate: context.addsToInputGradient(2),
        scratch: memory.packed)
    }
    if let before {
      smallMatmul(
        MatrixPart(dy[first] + at, stride: dy.width), MatrixPart(before, stride: values, transposed: true), rows: n,
        columns: keys,
        depth: values, into: memory.projected, stride: keys, accumulate: false, scratch: memory.packed)
      fadeQueries(rows, head, memory)
      for (offset, row) in rows.enumerated() {
        let own = memory.projected + offset * keys
        if let dq { add(own, scaledBy: memory.factors[offset], to: dq[row] + keyAt, count: keys) }
        memory.late[offset] += dot(own, memory.faded + offset * keys, count: keys)
      }
    }
    if let after {
      smallMatmul(
        MatrixPart(v[first] + at, stride: v.width), MatrixPart(after, stride: values, transposed: true), rows: n,
        columns: keys,
        depth: values, into: memory.projected, stride: keys, accumulate: false, scratch: memory.packed)
      fade(rows, head, until: last, memory)
      for (offset, row) in rows.enumerated() {
        let own = memory.projected + offset * keys
        if let dk { add(own, scaledBy: memory.factors[offset], to: dk[row] + keyAt, count: keys) }
        memory.early[offset] = dot(own, memory.faded + offset * keys, count: keys)
      }
      if let dv {
        smallMatmul(
          MatrixPart(memory.faded, stride: keys), MatrixPart(after, stride: values), rows: n, columns: values,
          depth: keys,
          into: dv[first] + at, stride: dv.width, accumulate: true, scratch: memory.packed)
      }
    }
    guard settings.decay == .given, let dg = context.inputGradient(3) else { return }
    var through: Double = 0
    if let before, let after { through = exp(last) * Double(dot(before, after, count: stateWidth)) }
    addDecays(rows, head, through: through, into: dg, adding: context.addsToInputGradient(3), memory)
  }

  /// `dg_t` is the sum of `late` from t on, of `early` before t, and of what goes through the whole chunk.
  private func addDecays(
    _ rows: Range<Int>, _ head: Int, through: Double, into dg: MutableRows, adding: Bool, _ memory: Memory
  ) {
    var sum = through
    for offset in 0..<rows.count { sum += Double(memory.early[offset]) }
    for (offset, row) in rows.enumerated().reversed() {
      sum += Double(memory.late[offset]) - Double(memory.early[offset])
      dg[row][head] = (adding ? dg[row][head] : 0) + Float(sum)
    }
  }
}
