import Components

/// Texts and pictures that belong together are brought near each other, and others of the batch apart: how CLIP is trained.
///
///     softmax:  loss = −1/2n Σ_i (log softmax_j(S[i,j])[i] + log softmax_j(S[j,i])[i])
///     sigmoid:  loss = −1/n Σ_ij log σ(z·S[i,j]),   z = 1 where i = j, else −1        S[i,j]: the product of text i and picture j
///
/// Softmax: Radford et al., 2021, https://arxiv.org/abs/2103.00020 (CLIP; InfoNCE of van den Oord et al., 2018,
/// https://arxiv.org/abs/1807.03748, both ways). Sigmoid: Zhai et al., 2023, https://arxiv.org/abs/2303.15343 (SigLIP), which wants a head
/// with a `bias`. S has the scale and the bias of the model's head in it. A pair is compared with those of its own batch alone: with
/// `accumulate`, batches stay by themselves, and the loss of a smaller batch is smaller.
///
/// Examples: `{loss: sigmoid}`
///
/// Known as: clip_loss, info_nce `objective: contrastive`, siglip_loss `objective: {type: contrastive, loss: sigmoid}`
public struct Contrastive: Objective {
  public static let name = "contrastive"
  public static let data = TrainingData.captions

  enum Kind: String, CaseIterable { case softmax, sigmoid }

  public let loss: any Kernel

  public init(_ options: Options) {
    switch options.choice("loss", default: Kind.softmax, "how the products of a batch become a loss") {
    case .softmax: loss = SoftmaxOfPairs()
    case .sigmoid: loss = SigmoidOfPairs()
    }
  }

  public func obstacle(to plan: Plan) -> String? {
    plan.prediction == .pairs ? nil : "it has no head that compares two stacks, such as 'two_towers'"
  }

  public func window(of context: Int, _ marks: TextMarks?) -> TextWindow {
    TextWindow(stride: context, tokens: context)
  }

  public func rows(of sequence: TrainedSequence, _ marks: TextMarks?, _ random: CounterRandom) -> TrainedRows {
    // A text has one output, whichever row asks for it.
    TrainedRows(
      inputs: sequence.tokens, targets: Array(repeating: -1, count: max(0, sequence.tokens.count - 1)) + [0])
  }
}
