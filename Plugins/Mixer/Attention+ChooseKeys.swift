import Components
import Kernels

extension KeyIndexer {
  /// The keys with the best scores of each token.
  ///
  ///     I(t, s) = Σ_h w_h(t)·max(0, q_h(t)·k(s)), or q_h(t)·k(s) by itself;   y(t) = the `top_k` s ≤ t with the largest I, ascending
  ///
  /// q: [rows, heads·width], k: [rows, width], w: [rows, heads], y: [rows, groups·top_k], −1 where there are no more. Numbers of
  /// blocks where keys are chosen in blocks, whose score is their largest up to t. No gradient goes through a choice.
  struct Choose: Kernel {
    let name = "choose keys"
    let heads: Int
    let topK: Int
    let isWeighted: Bool
    let block: Int
    let localBlocks: Int

    var attributes: [Attribute] {
      [
        Attribute("index_heads", heads), Attribute("top_k", topK), Attribute("weighted", isWeighted, plain: true),
        Attribute("block", block, plain: 1), Attribute("local_blocks", localBlocks, plain: 0),
      ]
    }
    var traits: OperatorTraits { OperatorTraits(backwardReadsInputs: .none) }
    private var groups: Int { isWeighted ? 1 : heads }

    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
      [inputs[0].with(width: groups * topK)]
    }

    func forward(_ context: ForwardContext) {
      let (q, k, y) = (context.input(0), context.input(1), context.output())
      let weights = isWeighted ? context.input(2) : nil
      let width = k.width
      for (index, sequence) in context.sequences.enumerated() {
        let keys = context.append(input: 1, to: 0, of: index)
        context.parallel(sequence.rows.count) { own, worker in
          for offset in own {
            let row = sequence.rows.lowerBound + offset
            let seen = sequence.start + offset + 1
            if (seen + block - 1) / block <= topK {
              for group in 0..<groups { all((seen + block - 1) / block, into: y[row] + group * topK) }
              continue
            }
            let (key, scores) = (worker.scratch, worker.scratch + width)
            if let weights {
              for position in 0..<seen {
                let own = number(position, of: keys, width, into: key)
                var sum: Float = 0
                for head in 0..<heads {
                  sum += weights[row][head] * max(0, dot(q[row] + head * width, own, count: width))
                }
                scores[position] = sum
              }
              choose(scores, seen, into: y[row])
            } else {
              for head in 0..<heads {
                for position in 0..<seen {
                  let own = number(position, of: keys, width, into: key)
                  scores[position] = dot(q[row] + head * width, own, count: width)
                }
                choose(scores, seen, into: y[row] + head * topK)
              }
            }
          }
        }
      }
    }

    /// The key at `position`, as `Float`.
    private func number(
      _ position: Int, of keys: CachedRows, _ width: Int, into scratch: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float> {
      let base = keys.rows.base + (position - keys.firstPosition) * keys.rows.rowBytes
      if keys.rows.format == .f32 { return base.assumingMemoryBound(to: Float.self) }
      widen(keys.rows.format, base, count: width, into: scratch)
      return UnsafePointer(scratch)
    }

    private func all(_ count: Int, into y: UnsafeMutablePointer<Float>) {
      for i in 0..<topK { y[i] = i < count ? Float(i) : -1 }
    }

    /// The numbers of the best of `seen` keys, or of their blocks, ascending. `scores` has room for three times as many.
    private func choose(_ scores: UnsafeMutablePointer<Float>, _ seen: Int, into y: UnsafeMutablePointer<Float>) {
      let count = (seen + block - 1) / block
      let best = block == 1 ? scores : scores + seen
      for i in 0..<count {
        var largest = -Float.infinity
        for position in i * block..<min(seen, (i + 1) * block) where scores[position] > largest {
          largest = scores[position]
        }
        best[i] = i >= count - localBlocks ? .infinity : largest
      }
      let copy = scores + 2 * seen
      copy.update(from: best, count: count)
      let least = nth(topK, largestOf: copy, count)
      // Those above the least, and as many equal to it, from the first on, as there is room for.
      var above = 0
      for i in 0..<count where best[i] > least { above += 1 }
      var (equal, next) = (topK - above, 0)
      for i in 0..<count where next < topK {
        if best[i] == least {
          if equal <= 0 { continue }
          equal -= 1
        } else if !(best[i] > least) {
          continue
        }
        y[next] = Float(i)
        next += 1
      }
    }

    /// The `n`th largest of `count` numbers, at least n, which it reorders.
    private func nth(_ n: Int, largestOf x: UnsafeMutablePointer<Float>, _ count: Int) -> Float {
      var (low, high) = (0, count - 1)
      while low < high {
        let pivot = x[(low + high) / 2]
        var (i, j) = (low, high)
        while i <= j {
          while x[i] > pivot { i += 1 }
          while x[j] < pivot { j -= 1 }
          if i <= j {
            (x[i], x[j]) = (x[j], x[i])
            i += 1
            j -= 1
          }
        }
        if n - 1 <= j { high = j } else if n - 1 >= i { low = i } else { break }
      }
      return x[n - 1]
    }

    /// Nothing: a choice does not change where its scores do a little.
    func backward(_ context: BackwardContext) {}

    func flops(step: Step, context: Int) -> Int {
      (2 * step.inputs[0].width + (isWeighted ? 3 * heads : 0) + 2 * groups) * context
    }

    func scratch(step: Step, rows: Int, context: Int) -> Int { step.inputs[1].width + 3 * context }

    func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
      call.isPart(adjective: "Indexed")
      call.output(is: .own)
      call.names("chosen")
      let isLibrary = call.form == .transformers
      // Blocks are counted from the text's beginning, which padding moves.
      if isLibrary, block > 1 { return nil }
      let q = call.heads(heads, ofInput: 0)
      let weights = isWeighted ? call.input(2) : PyTorchExpression("None")
      let places =
        isLibrary
        ? [call.positions(), call.keyPositions()] : [PyTorchExpression("None"), PyTorchExpression("None")]
      call.define("choose_keys", Self.function(state: call.state(0)))
      let sizes = [PyTorchExpression(topK), PyTorchExpression(block), PyTorchExpression(localBlocks)]
      return .call("choose_keys", [q, call.input(1), weights, call.cache()] + places + sizes)
    }

    private static func function(state: String) -> String {
      """
      def choose_keys(q, k, weights, cache, positions, key_positions, top_k, block, local_blocks):
          \"""Which keys each query sees, [batch, 1 or heads, queries, keys]: those with the largest scores.

          q: [batch, tokens, heads, width], k: [batch, tokens, width]. Scores of all heads are summed by weights, [batch, tokens,
          heads], or each head chooses for itself. Blocks are chosen by their best key; the last ones are always chosen.
          \"""
          if cache is not None:
              k = torch.cat([cache["\(state)"], k], dim=1) if "\(state)" in cache else k
              cache["\(state)"] = k
          T, S = q.size(1), k.size(1)
          if positions is None:
              positions = torch.arange(S - T, S, device=q.device)[None]
              key_positions = torch.arange(S, device=q.device)[None]
          query = positions[:, None, :, None]
          key = key_positions[:, None, None, -S:]
          seen = (key >= 0) & (key <= query)
          scores = torch.einsum("bthd,bsd->bhts", q.float(), k.float())
          if weights is not None:
              scores = torch.einsum("bhts,bth->bts", scores.relu(), weights.float())[:, None]
          scores = scores.masked_fill(~seen, float("-inf"))
          blocks = -(-S // block)
          scores = F.pad(scores, (0, blocks * block - S), value=float("-inf"))
          scores = scores.unflatten(-1, (blocks, block)).amax(-1)
          number = torch.arange(blocks, device=q.device)
          last = query // block
          scores = scores.masked_fill((number > last - local_blocks) & (number <= last), float("inf"))
          # Of equal ones the first.
          best = scores.sort(dim=-1, descending=True, stable=True).indices[..., :top_k]
          chosen = torch.zeros_like(scores, dtype=torch.bool).scatter(-1, best, True)
          return chosen.repeat_interleave(block, dim=-1)[..., :S] & seen
      """
    }
  }
}
