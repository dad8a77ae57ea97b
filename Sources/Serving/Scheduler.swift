import Components
import Dispatch
import Essentials
import Execution
import Formats
import Generation
import Grammars
import Kernels
import Models
import Probing
import ServingLink
import Synchronization

/// Runs the models: one thread that takes up jobs, reads prompts, writes tokens and drops what nobody waits for.
///
/// A job is taken up when the bytes of its states fit what is left of the budget; till then it waits, in order. A step of each
/// model lies between two looks at who has gone.
final class Scheduler: Sendable {
  /// What it may take.
  struct Limits: Sendable {
    /// Jobs that wait at most.
    var waiting: Int
    /// Bytes of all states.
    var stateBytes: Int
    /// Seconds from a job's arrival to its end.
    var seconds: Int
  }

  private struct Inbox {
    var jobs: [Waiting] = []
    /// How many jobs wait, here and in the thread's own list.
    var waiting = 0
    var stopsAt: ContinuousClock.Instant?
  }

  private struct Waiting {
    let job: Job
    let deadline: ContinuousClock.Instant
  }

  private struct Running {
    let job: Job
    let deadline: ContinuousClock.Instant
    var bytes: Int
    var left: Int
  }

  private let models: [ServedModel]
  private let limits: Limits
  private let metrics: Metrics
  private let inbox = Mutex(Inbox())
  private let wakeUp = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  init(_ models: [ServedModel], _ limits: Limits, _ metrics: Metrics) {
    (self.models, self.limits, self.metrics) = (models, limits, metrics)
  }

  /// What belongs to one model and to the scheduler's thread alone.
  private struct Engine {
    var batch: ContinuousBatch
    let hidden: PlanExecutor?
    let encoder: PictureEncoder?
    var embeddings: [(id: Int, state: HiddenState)] = []
    var probes: [(id: Int, request: ProbeRequest)] = []
    /// Made when it is first asked for.
    var probe: ModelProbe?
    let model: ServedModel
    let pool: ThreadPool
  }

  /// Begins to run on a thread of its own; throws what keeps a model from being run.
  func start(pool: ThreadPool) throws {
    let started = DispatchSemaphore(value: 0)
    let problem = Mutex<(any Error)?>(nil)
    DispatchQueue(label: "scheduler").async {
      do {
        let engines = try self.models.map { try Self.engine($0, pool: pool) }
        started.signal()
        self.run(engines)
      } catch {
        problem.withLock { $0 = error }
        started.signal()
      }
    }
    started.wait()
    if let problem = problem.withLock({ $0 }) { throw problem }
  }

  private static func engine(_ model: ServedModel, pool: ThreadPool) throws -> Engine {
    let (loaded, plan) = (model.loaded, model.plan)
    let executor = try loaded.executor(
      pool: pool, longest: model.longestAtOnce, states: model.states, computeType: model.computeType)
    let hidden = try plan.withoutHead.map { plan in
      try PlanExecutor(
        plan, loaded.parameters, pool: pool, maximumRows: plan.seesWholeTexts ? model.context : 64,
        states: model.states, fusing: true, computeType: model.computeType)
    }
    return Engine(
      batch: ContinuousBatch(executor, tokenizer: loaded.tokenizer), hidden: hidden, encoder: model.encoder,
      model: model, pool: pool)
  }

  /// Takes `jobs`, all or none. Throws the answer where there is no room for them, now or ever.
  func submit(_ jobs: [Job]) throws(ErrorAnswer) {
    for job in jobs {
      let bytes = bytes(of: job)
      if bytes > limits.stateBytes {
        throw ErrorAnswer(
          400,
          "the request needs \(bytes) bytes of KV cache, and the server has \(limits.stateBytes) for all; "
            + "ask for fewer tokens or fewer choices", code: "request_too_large")
      }
    }
    let deadline = ContinuousClock.now + .seconds(limits.seconds)
    let refusal: ErrorAnswer? = inbox.withLock { inbox in
      if inbox.stopsAt != nil { return Self.stopping }
      guard inbox.waiting + jobs.count <= limits.waiting else {
        return ErrorAnswer(
          429, "\(inbox.waiting) prompts wait already, and at most \(limits.waiting) may", code: "queue_full",
          fields: [(name: "Retry-After", value: "\(max(1, min(60, inbox.waiting / 16)))")])
      }
      inbox.waiting += jobs.count
      inbox.jobs += jobs.map { Waiting(job: $0, deadline: deadline) }
      metrics.waiting(inbox.waiting)
      return nil
    }
    if let refusal { throw refusal }
    wakeUp.signal()
  }

  private static var stopping: ErrorAnswer {
    ErrorAnswer(503, "the server is ending", code: "server_ending", fields: [(name: "Retry-After", value: "10")])
  }

  private func bytes(of job: Job) -> Int {
    let plan = models[job.model].plan
    switch job.work {
    case .generate(let request, _):
      let most = request.continuations.map(\.maximumTokens).max() ?? 0
      let length = min(plan.longestText, request.prompt.count + most)
      return plan.stateBytes(length: length, in: models[job.model].states) * max(1, request.continuations.count)
    case .embed(let ids, _): return plan.stateBytes(length: ids.count, in: models[job.model].states)
    case .probe(let request): return plan.stateBytes(length: request.tokens.count, in: .f32)
    }
  }

  /// Looks at who has gone, now rather than at the next event.
  func look() { wakeUp.signal() }

  /// Takes no more jobs, lets those that run go on for `duration`, and returns when all have ended.
  func stop(within duration: Duration) {
    inbox.withLock { $0.stopsAt = ContinuousClock.now + duration }
    wakeUp.signal()
    ended.wait()
    ended.signal()
  }

  private func run(_ engines: [Engine]) {
    var engines = engines
    var waiting: [Waiting] = []
    var running: [Int: Running] = [:]
    var (next, used) = (0, 0)
    while true {
      let (new, stopsAt) = inbox.withLock { inbox in
        defer { inbox.jobs = [] }
        return (inbox.jobs, inbox.stopsAt)
      }
      waiting += new
      let now = ContinuousClock.now
      let before = waiting.count
      waiting.removeAll { one in
        if one.job.answer.isGone { return true }
        guard stopsAt != nil || one.deadline <= now else { return false }
        one.job.tell(.failed(stopsAt != nil ? Self.stopping : overdue))
        return true
      }
      for (id, one) in running {
        let isOver = stopsAt.map { $0 <= now } ?? false
        guard one.job.answer.isGone || isOver || one.deadline <= now else { continue }
        engines[one.job.model].batch.remove(id)
        engines[one.job.model].embeddings.removeAll { $0.id == id }
        engines[one.job.model].probes.removeAll { $0.id == id }
        if !one.job.answer.isGone { one.job.tell(.failed(isOver ? Self.stopping : overdue)) }
        metrics.ended(gone: one.job.answer.isGone)
        used -= one.bytes
        running[id] = nil
      }
      while let first = waiting.first {
        let bytes = bytes(of: first.job)
        guard used + bytes <= limits.stateBytes,
          keep(atMost: limits.stateBytes - used - bytes, in: engines)
        else { break }
        waiting.removeFirst()
        do {
          try begin(first.job, id: next, in: &engines[first.job.model])
          running[next] = Running(job: first.job, deadline: first.deadline, bytes: bytes, left: Self.parts(first.job))
          used += bytes
        } catch {
          first.job.tell(.failed(Self.answer(to: error)))
        }
        next += 1
      }
      let left = before - waiting.count
      let count = inbox.withLock { inbox in
        inbox.waiting -= left
        return inbox.waiting
      }
      let kept = engines.reduce(0) { $0 + $1.batch.keptBytes }
      metrics.state(waiting: count, running: running.count, stateBytes: used, keptBytes: kept)
      if running.isEmpty, waiting.isEmpty {
        if stopsAt != nil { break }
        wakeUp.wait()
        continue
      }
      _ = keep(atMost: limits.stateBytes - used, in: engines)
      for model in engines.indices { step(&engines[model], &running, &used) }
    }
    ended.signal()
  }

  /// Lets the models keep `bytes` of states at most for prompts to come, and a part of the budget at most; false where more
  /// is kept, for it is in use.
  private func keep(atMost bytes: Int, in engines: [Engine]) -> Bool {
    let own = max(0, min(bytes, limits.stateBytes / 4)) / engines.count
    for engine in engines { engine.batch.keep(atMost: own) }
    return engines.reduce(0) { $0 + $1.batch.keptBytes } <= max(0, bytes)
  }

  private var overdue: ErrorAnswer {
    ErrorAnswer(503, "the request took longer than \(limits.seconds) seconds", code: "timeout")
  }

  private static func parts(_ job: Job) -> Int {
    switch job.work {
    case .generate(let request, _): request.continuations.count
    case .embed, .probe: 1
    }
  }

  private func begin(_ job: Job, id: Int, in engine: inout Engine) throws {
    switch job.work {
    case .generate(var request, let pictures):
      if !pictures.isEmpty, let encoder = engine.encoder {
        let shown = try ShownPictures(
          pictures, in: request.prompt, of: engine.model.plan, encoder, pool: engine.pool,
          computeType: engine.model.computeType)
        for place in request.continuations.indices { shown.show(to: &request.continuations[place]) }
      }
      if engine.model.plan.lets(.prompt) {
        for place in request.continuations.indices { request.continuations[place].prefix = request.prompt.count }
      }
      try engine.batch.add(request, id: id)
    case .embed(let ids, let pooling):
      guard let hidden = engine.hidden else {
        throw ErrorAnswer(400, "the model has no hidden state before a head", code: "not_supported")
      }
      engine.embeddings.append(
        (id, try HiddenState(of: ids, hidden, pooling: pooling, piece: engine.batch.piece)))
    case .probe(let request):
      if engine.probe == nil {
        engine.probe = try ModelProbe(
          engine.model.loaded, tokens: ServerLimits.probed, pool: engine.pool, computeType: engine.model.computeType)
      }
      engine.probes.append((id, request))
    }
  }

  /// A step of one model.
  private func step(_ engine: inout Engine, _ running: inout [Int: Running], _ used: inout Int) {
    func end(_ id: Int) {
      guard var one = running[id] else { return }
      one.left -= 1
      running[id] = one
      if one.left > 0 { return }
      metrics.ended(gone: false)
      used -= one.bytes
      running[id] = nil
    }
    func fail(_ id: Int, _ error: any Error) {
      guard var one = running[id] else { return }
      one.job.tell(.failed(Self.answer(to: error)))
      one.left = 1
      running[id] = one
      end(id)
    }
    if !engine.batch.isIdle {
      engine.batch.step { id, event in
        guard let one = running[id] else { return }
        if case .failed(let error) = event { return fail(id, error) }
        one.job.tell(.batch(event))
        if case .read(_, let reused, let lentBytes) = event, case .generate(let request, _) = one.job.work {
          metrics.read(request.prompt.count, reused: reused)
          // What is another's is counted there.
          running[id]?.bytes -= min(one.bytes, lentBytes)
          used -= min(one.bytes, lentBytes)
        }
        if case .wrote = event { metrics.wrote() }
        if case .ended = event { end(id) }
      }
    }
    if let (id, request) = engine.probes.first, let probe = engine.probe {
      engine.probes.removeFirst()
      do {
        running[id]?.job.tell(.probed(try request.answer(probe, engine.model)))
        end(id)
      } catch { fail(id, error) }
    }
    if var first = engine.embeddings.first {
      do {
        if let vector = try first.state.step() {
          engine.embeddings.removeFirst()
          running[first.id]?.job.tell(.embedded(vector))
          end(first.id)
        } else {
          // Texts take turns.
          engine.embeddings.removeFirst()
          engine.embeddings.append(first)
        }
      } catch {
        engine.embeddings.removeFirst()
        fail(first.id, error)
      }
    }
  }

  /// What an error of the models is to who asked.
  static func answer(to error: any Error) -> ErrorAnswer {
    switch error {
    case let error as ErrorAnswer: error
    case let error as GrammarProblem: ErrorAnswer(400, error.description, code: "invalid_grammar")
    case ModelProblem.noContinuation: ErrorAnswer(400, "\(error)", code: "not_supported")
    case ModelProblem.picture: ErrorAnswer(400, "\(error)", parameter: "messages", code: "invalid_picture")
    case ModelProblem.longPrompt: ErrorAnswer(400, "\(error)", code: "context_length_exceeded")
    case ExecutionProblem.memory, ExecutionProblem.tooLittleMemory:
      ErrorAnswer(503, "\(error)", code: "no_memory", fields: [(name: "Retry-After", value: "5")])
    default: ErrorAnswer(500, "\(error)", code: "failed")
    }
  }
}
