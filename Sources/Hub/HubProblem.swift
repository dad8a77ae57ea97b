import Files
import HubCache

/// Why a hub did not give what was asked for, with what to do next.
public enum HubProblem: Error, Sendable, CustomStringConvertible {
  /// No repository of that name, or none that may be seen.
  case noRepository(RepositoryName, endpoint: String, hasToken: Bool)
  case noRevision(RepositoryName, String)
  case noFile(RepositoryName, path: String)
  /// Its owner asks that conditions are accepted first.
  case gated(RepositoryName, endpoint: String, hasToken: Bool)
  /// The hub does not know the token.
  case badToken
  /// The token is good and does not suffice for this.
  case forbidden(String)
  /// A setting forbids the network.
  case offline(variable: String)
  /// No connection came about, or each broke.
  case unreachable(String, why: String)
  /// The hub asked to come back later, again and again.
  case busy(status: Int, seconds: Int?)
  case unexpected(status: Int, what: String, why: String?)
  /// An answer that is not of the hub's protocol.
  case nonsense(String)
  /// What arrived is not what the repository holds.
  case damaged(path: String, why: String)
  case space(needed: Int, free: Int, place: String)
  case usage(String)

  /// The exit status: 1 failed, 2 usage, 4 not found.
  public var status: Int32 {
    switch self {
    case .noRepository, .noRevision, .noFile: 4
    case .usage: 2
    default: 1
    }
  }

  /// The sentence for a person.
  public var description: String {
    switch self {
    case .noRepository(let name, let endpoint, let hasToken):
      "there is no repository '\(name)' at \(endpoint), or it is private"
        + (hasToken
          ? " and your token may not see it"
          : "; a private one needs a token, in HF_TOKEN or by 'hf auth login'")
    case .noRevision(let name, let revision): "'\(name)' has no branch, tag or commit '\(revision)'"
    case .noFile(let name, let path): "'\(name)' has no file '\(path)'"
    case .gated(let name, let endpoint, let hasToken):
      "'\(name)' is gated: accept its conditions at \(endpoint)/\(name), "
        + (hasToken
          ? "as the user whose token you gave; it may take a while until the owner agrees"
          : "then give a token of that user in HF_TOKEN (\(endpoint)/settings/tokens makes one)")
    case .badToken:
      "the hub does not know your token; look at HF_TOKEN and at the file that 'hf auth login' writes"
    case .forbidden(let what): "your token does not allow this: \(what)"
    case .offline(let variable): "no network is used, for \(variable) is set"
    case .unreachable(let place, let why): "\(place) cannot be reached: \(why)"
    case .busy(let status, let seconds):
      "the hub has too much to do (\(status))"
        + (seconds.map { $0 > 0 ? "; it asks to come back in \($0) s" : "" } ?? "; try again later")
        + (status == 429 ? ", and lets more through with a token in HF_TOKEN" : "")
    case .unexpected(let status, let what, let why):
      "the hub answered \(status) to \(what)\(why.map { ": \($0)" } ?? "")"
    case .nonsense(let sentence): sentence
    case .damaged(let path, let why): "\(path) did not arrive as the repository has it: \(why); nothing of it was kept"
    case .space(let needed, let free, let place):
      "\(Self.text(needed)) are needed and \(Self.text(free)) are free at \(place); HF_HUB_CACHE names another place, "
        + "and 'chimera cache remove' makes room"
    case .usage(let sentence): sentence
    }
  }

  /// A number of bytes in decimal units.
  static func text(_ bytes: Int) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB"]
    var (value, unit) = (Double(bytes), 0)
    while value >= 999.5, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
    return unit == 0 || value >= 99.95
      ? "\(Int(value.rounded())) \(units[unit])" : "\((value * 10).rounded() / 10) \(units[unit])"
  }
}
