import Files

/// What is trained of an adapter: LoRA (Hu et al., 2021, https://arxiv.org/abs/2106.09685), rsLoRA or DoRA.
///
/// On a command line `rank=16,alpha=32,dora,target=attn.q+attn.v,dropout=0.05`. Without `alpha` the product of the factors
/// is taken as it is, α = r; without `target` every matrix of a layer has factors.
public struct AdapterSettings: Sendable, Equatable {
  /// r, the numbers between the two factors.
  public var rank: Int
  /// α: the product is multiplied by α / r, or by α / √r.
  public var alpha: Double
  /// Whether it is divided by the root of the rank: rsLoRA (Kalajdzievski, 2023, https://arxiv.org/abs/2312.03732).
  public var dividesByRoot = false
  /// Whether rows have learned lengths: DoRA (Liu et al., 2024, https://arxiv.org/abs/2402.09353).
  public var hasMagnitudes = false
  /// The ends of the matrices' canonical names; none for all.
  public var targets: [String] = []
  /// What part of a matrix's input its factors are not shown while training.
  public var dropout = 0.0

  /// What is multiplied with the product of the factors.
  public var scale: Double { alpha / (dividesByRoot ? Double(rank).squareRoot() : Double(rank)) }

  static let expectation =
    "rank=R, at most 65536, and, as wanted, alpha=A, rslora, dora, target=NAME+NAME and dropout=P, joined by commas"

  /// Reads the value of an option; nil when it is not one.
  package init?(_ text: String) {
    var json = JSONObject()
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let value: JSONValue? =
        switch (words[0], words.count) {
        case ("rank", 2): Int(words[1]).map(JSONValue.integer)
        case ("alpha", 2), ("dropout", 2): Double(words[1]).map(JSONValue.number)
        case ("rslora", 1), ("dora", 1): .bool(true)
        case ("target", 2):
          words[1] == "all-linear"
            ? .array([]) : .array(words[1].split(separator: "+").map { .string(String($0)) })
        default: nil
        }
      guard let value, json.insert(value, for: words[0]) else { return nil }
    }
    self.init(json)
  }

  /// Reads what `json` gives; nil when it is not one.
  package init?(_ json: JSONObject) {
    guard let rank = json["rank"]?.integer, (1...1 << 16).contains(rank) else { return nil }
    self.rank = rank
    alpha = json["alpha"]?.number ?? Double(rank)
    dropout = json["dropout"]?.number ?? 0
    dividesByRoot = json["rslora"]?.bool ?? false
    hasMagnitudes = json["dora"]?.bool ?? false
    targets = json["target"]?.array?.compactMap(\.string) ?? []
    guard alpha.isFinite, (0..<1).contains(dropout), json["target"].map({ $0.array?.count == targets.count }) ?? true
    else { return nil }
  }

  /// The same as JSON.
  public var json: JSONObject {
    var json = JSONObject()
    json["rank"] = .integer(rank)
    json["alpha"] = .number(alpha)
    json["rslora"] = .bool(dividesByRoot)
    json["dora"] = .bool(hasMagnitudes)
    json["target"] = .array(targets.map { .string($0) })
    json["dropout"] = .number(dropout)
    return json
  }
}
