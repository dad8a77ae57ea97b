import Synchronization

/// What the server has done and does, for Prometheus.
final class Metrics: Sendable {
  private struct State {
    var requests: [String: Int] = [:]
    var (promptTokens, reusedTokens, generatedTokens, ended, gone) = (0, 0, 0, 0, 0)
    var (waiting, running, stateBytes, keptBytes) = (0, 0, 0, 0)
    var firstTokens = Histogram()
    var answers = Histogram()
  }

  /// Counts of durations up to some bounds, in seconds.
  private struct Histogram {
    static let bounds = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300]
    var counts = Array(repeating: 0, count: bounds.count)
    var (count, sum) = (0, 0.0)

    mutating func add(_ seconds: Double) {
      for (place, bound) in Self.bounds.enumerated() where seconds <= bound { counts[place] += 1 }
      count += 1
      sum += seconds
    }

    func text(_ name: String) -> String {
      var text = ""
      for (bound, count) in zip(Self.bounds, counts) { text += "\(name)_bucket{le=\"\(bound)\"} \(count)\n" }
      return text + "\(name)_bucket{le=\"+Inf\"} \(count)\n\(name)_sum \(sum)\n\(name)_count \(count)\n"
    }
  }

  private let state = Mutex(State())
  private let budget: Int

  init(stateBudget: Int) { budget = stateBudget }

  func waiting(_ count: Int) { state.withLock { $0.waiting = count } }

  func state(waiting: Int, running: Int, stateBytes: Int, keptBytes: Int) {
    state.withLock {
      ($0.waiting, $0.running, $0.stateBytes, $0.keptBytes) = (waiting, running, stateBytes, keptBytes)
    }
  }

  func request(_ path: String, _ status: Int) {
    state.withLock { $0.requests["path=\"\(path)\",status=\"\(status)\"", default: 0] += 1 }
  }
  func read(_ tokens: Int, reused: Int) {
    state.withLock {
      $0.promptTokens += tokens
      $0.reusedTokens += reused
    }
  }
  func wrote() { state.withLock { $0.generatedTokens += 1 } }
  func ended(gone: Bool) { state.withLock { if gone { $0.gone += 1 } else { $0.ended += 1 } } }
  func firstToken(after seconds: Double) { state.withLock { $0.firstTokens.add(seconds) } }
  func answered(after seconds: Double) { state.withLock { $0.answers.add(seconds) } }

  /// All of it in the text format of Prometheus.
  var text: String {
    let state = state.withLock { $0 }
    var text = ""
    func add(_ name: String, _ type: String, _ help: String, _ lines: String) {
      text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n\(lines)"
    }
    func count(_ name: String, _ type: String, _ help: String, _ value: Int) {
      add(name, type, help, "\(name) \(value)\n")
    }
    let requests = state.requests.sorted { $0.key < $1.key }.map { "chimera_requests_total{\($0.key)} \($0.value)\n" }
    add("chimera_requests_total", "counter", "Requests answered, by path and status.", requests.joined())
    count("chimera_prompt_tokens_total", "counter", "Tokens of prompts read.", state.promptTokens)
    count(
      "chimera_prompt_tokens_reused_total", "counter", "Tokens of them that were read before, for another prompt.",
      state.reusedTokens)
    count("chimera_generated_tokens_total", "counter", "Tokens generated.", state.generatedTokens)
    count("chimera_jobs_ended_total", "counter", "Prompts answered.", state.ended)
    count("chimera_jobs_dropped_total", "counter", "Prompts dropped, for nobody waited for them.", state.gone)
    count("chimera_jobs_running", "gauge", "Prompts being read or continued.", state.running)
    count("chimera_jobs_waiting", "gauge", "Prompts waiting for KV cache.", state.waiting)
    count("chimera_state_bytes", "gauge", "Bytes of KV cache reserved.", state.stateBytes)
    count(
      "chimera_kept_state_bytes", "gauge", "Bytes of KV cache kept for prompts that begin alike.", state.keptBytes)
    count("chimera_state_budget_bytes", "gauge", "Bytes of KV cache there are.", budget)
    let first = "chimera_time_to_first_token_seconds"
    add(first, "histogram", "Seconds from a request to its first token.", state.firstTokens.text(first))
    let all = "chimera_request_seconds"
    add(all, "histogram", "Seconds from a request to the end of its answer.", state.answers.text(all))
    return text
  }
}
