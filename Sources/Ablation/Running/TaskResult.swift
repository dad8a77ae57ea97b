import Files

/// What a run measured: the same numbers whenever and wherever it is run with the same number of threads.
public struct TaskResult: Sendable, Hashable {
  /// The validation loss at the end, in nats; NaN when the run diverged.
  public let loss: Double
  /// Validation losses on the way, the last one included.
  public let curve: [Point]
  /// Losses at other lengths.
  public let contexts: [ContextLoss]
  /// The losses of the windows of the validation text, in its order, where nothing was trained; empty after training.
  public let windows: [Double]
  /// How calmly it trained; nil where nothing was trained, and in outcomes of earlier versions.
  public let stability: RunStability?
  /// The share of right answers, of a probe.
  public let accuracy: Double?
  /// What it answered of each benchmark.
  public let benchmarks: [BenchmarkScore]
  /// Losses at the ends of the runs of smaller budgets, ascending.
  public let budgets: [Point]
  /// Steps that were done when the loss became NaN; nil when it did not.
  public let divergedAfter: Int?

  /// A loss on the way.
  public struct Point: Sendable, Hashable {
    /// Tokens trained on.
    public let tokens: Int
    /// The validation loss in nats.
    public let loss: Double

    /// The loss after `tokens` tokens.
    public init(tokens: Int, loss: Double) {
      self.tokens = tokens
      self.loss = loss
    }
  }

  /// The loss at a length.
  public struct ContextLoss: Sendable, Hashable {
    /// Tokens of a sequence.
    public let context: Int
    /// The validation loss in nats; nil when a sequence of this length cannot be evaluated.
    public let loss: Double?

    /// The loss at `context` tokens.
    public init(context: Int, loss: Double?) {
      self.context = context
      self.loss = loss
    }
  }

  /// A run that ended with `loss`.
  public init(
    loss: Double, curve: [Point], contexts: [ContextLoss], windows: [Double] = [], accuracy: Double? = nil,
    stability: RunStability? = nil, benchmarks: [BenchmarkScore] = [], budgets: [Point] = [],
    divergedAfter: Int? = nil
  ) {
    self.budgets = budgets
    self.benchmarks = benchmarks
    self.accuracy = accuracy
    self.stability = stability
    self.loss = loss
    self.curve = curve
    self.contexts = contexts
    self.windows = windows
    self.divergedAfter = divergedAfter
  }
}

/// How long a run took; never the same twice, so kept apart from what is compared.
public struct TaskTimes: Sendable, Hashable {
  /// Seconds of training, evaluations left out.
  public let seconds: Double
  /// Tokens trained on in a second.
  public let tokensPerSecond: Double
  /// Tokens generated one after another in a second by the trained model; nil where that was not measured.
  public let decodedPerSecond: Double?
  /// What it ran on.
  public let machine: String
  /// What trained it, with its version: `torch 2.15.0`; nil of this program.
  public let engine: String?

  /// A run of `seconds` at `tokensPerSecond` on `machine`, by `engine`.
  public init(
    seconds: Double, tokensPerSecond: Double, decodedPerSecond: Double? = nil, machine: String, engine: String? = nil
  ) {
    self.engine = engine
    self.decodedPerSecond = decodedPerSecond
    self.seconds = seconds
    self.tokensPerSecond = tokensPerSecond
    self.machine = machine
  }
}

/// What a run gives.
public struct TaskOutcome: Sendable {
  /// What it measured.
  public let result: TaskResult
  /// How long it took.
  public let times: TaskTimes

  /// The result and the times of one run.
  public init(_ result: TaskResult, _ times: TaskTimes) {
    self.result = result
    self.times = times
  }
}
