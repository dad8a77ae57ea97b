import Components
import Essentials
import Kernels

extension MoE {
  /// How a token's experts are chosen and weighed.
  ///
  ///     l = cap(x·Wrᵀ + b), cap(l) = softcap·tanh(l / softcap);  s = score(l);  the top_k experts by s + selection bias, in the best groups alone;  w = scale·s / (Σ s + eps)
  ///
  /// With `order: select_first` experts are chosen by their logits, and scores are those of the chosen alone: a softmax
  /// over them. The selection bias says who is chosen and weighs nothing, so it has no gradient; it is balanced by other
  /// means (Wang et al., 2024, https://arxiv.org/abs/2408.15664). Groups: DeepSeek-V2, https://arxiv.org/abs/2405.04434
  /// (`max`) and V3, https://arxiv.org/abs/2412.19437 (`top2`, the sum of a group's two best).
  struct Router {
    enum Score: String, CaseIterable { case softmax, sigmoid, sparsemixer }
    enum Order: String, CaseIterable {
      case scoreFirst = "score_first"
      case selectFirst = "select_first"
    }
    enum Normalization: String, CaseIterable { case none, sum, clamped }
    enum GroupScore: String, CaseIterable { case max, top2 }
    enum Target: String, CaseIterable { case output, input }

    let experts: Int
    let chosen: Int
    var score = Score.softmax
    var order = Order.scoreFirst
    var normalize = Normalization.none
    var eps = 1e-20
    var scale = 1.0
    var groups = 1
    var topGroups = 1
    var groupScore = GroupScore.top2
    var closedScore: Double?
    var bias = false
    var selectionBias = false
    var softcap: Double?
    var target = Target.output
    var jitter = 0.0

    init(experts: Int, chosen: Int) {
      self.experts = experts
      self.chosen = chosen
    }

    init(_ options: Options, experts: Int, chosen: Int) {
      self.init(experts: experts, chosen: chosen)
      score = options.choice("score", default: Score.softmax, "how logits become scores")
      if score == .sparsemixer {
        jitter = options.number(
          "jitter", default: 0.01, in: 0...10, "how far behind the best, by halves, an expert still weighs against it")
        scale = options.number("scale", default: 1, in: -1e6...1e6, "what weights are multiplied by in the end")
        return
      }
      order = options.choice(
        "order", default: Order.scoreFirst, "whether experts are chosen by score, or by logit and then scored")
      normalize = options.choice(
        "normalize", default: Normalization.none, "whether weights are divided by their sum, or by no less than eps")
      if normalize != .none {
        eps = options.number("eps", default: 1e-20, in: 0...1, "what is added to the sum, or the least it may be")
      }
      scale = options.number("scale", default: 1, in: -1e6...1e6, "what weights are multiplied by in the end")
      groups = options.integer("groups", default: 1, in: 1...65536, "how many groups the experts are in")
      topGroups = options.integer(
        "top_groups", default: 1, in: 1...65536, "how many groups a token's experts may be in")
      groupScore = options.choice(
        "group_score", default: GroupScore.top2, "what a group is chosen by: its best expert, or the sum of two")
      closedScore = options.optionalNumber(
        "closed_score", "what the experts of other groups are chosen by; never chosen by default")
      bias = options.flag("bias", default: false, "whether logits have a learned bias")
      selectionBias = options.flag(
        "selection_bias", default: false,
        "whether a learned bias is added for the choice of experts, not for their weights")
      softcap = options.optionalNumber("softcap", in: 1e-6...1e6, "soft cap of the logits: cap·tanh(x/cap)")
      target = options.choice(
        "apply_to", default: Target.output, "whether weights multiply experts' results or what they read")
      if experts % groups != 0 {
        options.fail("groups", "\(experts) experts do not divide into \(groups) groups")
        groups = 1
      }
      if topGroups > groups || topGroups * (experts / groups) < chosen {
        options.fail(
          "top_groups",
          "\(chosen) experts cannot be chosen from \(topGroups) of \(groups) groups of \(experts / groups)")
        topGroups = groups
      }
    }

    /// What decides which experts are chosen and what they weigh.
    var attributes: [Attribute] {
      [
        Attribute("experts", experts), Attribute("top_k", chosen), Attribute("score", score.rawValue),
        Attribute("order", order.rawValue, plain: Order.scoreFirst.rawValue),
        Attribute("normalize", normalize.rawValue, plain: Normalization.none.rawValue),
        Attribute("eps", normalize == .none ? nil : eps, plain: 1e-20), Attribute("scale", scale, plain: 1.0),
        Attribute("groups", groups, plain: 1), Attribute("top_groups", groups == 1 ? nil : topGroups),
        Attribute("group_score", groups == 1 ? nil : groupScore.rawValue),
        Attribute("closed_score", groups == 1 ? nil : closedScore),
        Attribute("selection_bias", selectionBias, plain: false),
        Attribute("jitter", score == .sparsemixer ? jitter : nil),
      ]
    }

    var weighsInput: Bool { target == .input }

    /// Writes the weights of each token's experts, and their numbers, which a `Float` holds exactly.
    func write(_ x: Value, into plan: inout PlanBuilder) -> (weights: Value, choice: Value) {
      var logits = plan.linear(x, to: experts, named: "router", bias: bias)
      if let softcap { logits = plan.softcap(logits, at: softcap) }
      let tensors = selectionBias ? [plan.parameter("router.selection_bias", shape: [experts], starts: .zeros)] : []
      let outputs = plan.apply(Route(router: self), to: [logits], parameters: tensors)
      return (outputs[0], outputs[1])
    }
  }

  /// The choice of experts and their weights from a router's logits.
  struct Route: Kernel {
    let name = "route"
    let router: Router

    var attributes: [Attribute] { router.attributes }
    var traits: OperatorTraits { OperatorTraits(isRowwise: true, backwardReadsOutputs: true) }
    func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] {
      [inputs[0].with(width: router.chosen), inputs[0].with(width: router.chosen)]
    }

    func forward(_ context: ForwardContext) {
      let (logits, weights, choice) = (context.input(), context.output(0), context.output(1))
      let bias = router.selectionBias ? context.parameter().vector : nil
      context.parallel(logits.count, grain: elementwiseGrain(8 * router.experts)) { rows, worker in
        let (scores, keys) = (worker.scratch, worker.scratch + router.experts)
        for row in rows {
          let (w, chosen) = (weights[row], choice[row])
          if router.score == .sparsemixer {
            mix(logits[row], scores, chosen) { j, expert in w[j] = Float(router.scale) * scores[expert] }
            continue
          }
          score(logits[row], into: scores)
          for i in 0..<router.experts { keys[i] = scores[i] + (bias?[i] ?? 0) }
          if router.groups > 1 { closeGroups(keys, best: keys + router.experts) }
          select(keys, into: chosen)
          for j in 0..<router.chosen { w[j] = scores[Int(chosen[j])] }
          if router.order == .selectFirst { rescore(w) }
          let factor = Float(router.scale) / divisor(w)
          for j in 0..<router.chosen { w[j] *= factor }
        }
      }
    }

    /// Scores that experts are chosen by: of all logits, or the logits.
    private func score(_ logits: UnsafePointer<Float>, into scores: UnsafeMutablePointer<Float>) {
      if router.order == .scoreFirst, router.score == .sigmoid {
        sigmoids(of: logits, into: scores, count: router.experts)
      } else {
        scores.update(from: logits, count: router.experts)
        if router.order == .scoreFirst { softmax(inPlace: scores, count: router.experts) }
      }
    }

    /// The scores of chosen logits.
    private func rescore(_ weights: UnsafeMutablePointer<Float>) {
      if router.score == .softmax {
        softmax(inPlace: weights, count: router.chosen)
      } else {
        sigmoids(of: weights, into: weights, count: router.chosen)
      }
    }

    /// What the chosen scores are divided by.
    private func divisor(_ scores: UnsafePointer<Float>) -> Float {
      if router.normalize == .none { return 1 }
      let total = sum(scores, count: router.chosen)
      return router.normalize == .sum ? total + Float(router.eps) : max(total, Float(router.eps))
    }

    /// Leaves only the experts of the best groups to be chosen; of equal groups the first. `best` holds `groups` numbers.
    private func closeGroups(_ keys: UnsafeMutablePointer<Float>, best: UnsafeMutablePointer<Float>) {
      let size = router.experts / router.groups
      let closed = router.closedScore.map { Float($0) } ?? -.infinity
      for group in 0..<router.groups {
        var (first, second) = (-Float.infinity, -Float.infinity)
        for i in group * size..<(group + 1) * size {
          if keys[i] > first { (first, second) = (keys[i], first) } else if keys[i] > second { second = keys[i] }
        }
        best[group] = router.groupScore == .max || size == 1 ? first : first + second
      }
      for group in 0..<router.groups {
        var better = 0
        for other in 0..<router.groups
        where best[other] > best[group] || (best[other] == best[group] && other < group) { better += 1 }
        if better >= router.topGroups { (keys + group * size).update(repeating: closed, count: size) }
      }
    }

    /// The numbers of the largest keys, the largest first; of equal ones the first.
    private func select(_ keys: UnsafePointer<Float>, into choice: UnsafeMutablePointer<Float>) {
      var count = 0
      for expert in 0..<router.experts {
        // A row that is not a number chooses the first experts, rather than none.
        let key = keys[expert]
        if count == router.chosen, !(key > keys[Int(choice[count - 1])]) { continue }
        var rank = min(count, router.chosen - 1)
        while rank > 0, key > keys[Int(choice[rank - 1])] {
          choice[rank] = choice[rank - 1]
          rank -= 1
        }
        choice[rank] = Float(expert)
        count = min(count + 1, router.chosen)
      }
    }

    /// With n = s / D: `ds_j = scale·(dw_j / D − Σ dw·s / D²)`, without the sum where D is constant. Then
    /// `dl_j += ds_j·s_j·(1 − s_j)` (sigmoid) or `dl_i += s_i·(ds_i − Σ s·ds)` over all that the softmax is of. Scores are
    /// computed again from the logits; who is chosen has no gradient. SparseMixer's are those of the softmax of its own few.
    func backward(_ context: BackwardContext) {
      guard let dlogits = context.inputGradient() else { return }
      let (logits, choice, dweights) = (context.input(), context.output(1), context.outputGradient(0))
      context.parallel(logits.count, grain: elementwiseGrain(8 * router.experts)) { rows, worker in
        let all = worker.scratch
        let s = all + router.experts
        let ds = s + router.chosen
        for row in rows {
          let (chosen, dw, dl) = (choice[row], dweights[row], dlogits[row])
          if router.score == .sparsemixer {
            mix(logits[row], all, s) { j, expert in
              let slope = Float(router.scale) * dw[j] * all[expert]
              add(all, scaledBy: -slope, to: dl, count: router.experts)
              dl[expert] += slope
            }
            continue
          }
          score(logits[row], into: all)
          for j in 0..<router.chosen { s[j] = all[Int(chosen[j])] }
          if router.order == .selectFirst { rescore(s) }
          let d = divisor(s)
          let isConstant = router.normalize == .none || (router.normalize == .clamped && d <= Float(router.eps))
          let mean = isConstant ? 0 : dot(dw, s, count: router.chosen) / d
          for j in 0..<router.chosen { ds[j] = Float(router.scale) * (dw[j] - mean) / d }
          if router.score == .sigmoid {
            for j in 0..<router.chosen { dl[Int(chosen[j])] += ds[j] * s[j] * (1 - s[j]) }
            continue
          }
          let total = dot(s, ds, count: router.chosen)
          for j in 0..<router.chosen { dl[Int(chosen[j])] += s[j] * ds[j] }
          if router.order == .selectFirst {
            for j in 0..<router.chosen { dl[Int(chosen[j])] -= s[j] * total }
          } else {
            add(all, scaledBy: -total, to: dl, count: router.experts)
          }
        }
      }
    }

    func flops(step: Step, context: Int) -> Int { 6 * router.experts + 3 * router.chosen }

    func scratch(step: Step, rows: Int, context: Int) -> Int {
      2 * router.experts + max(router.groups, 2 * router.chosen)
    }
  }
}
