/// Runs an automaton over bytes.
///
/// A **place** is a state, how often its loop has run, and a **context**: the places to go on at when the rule ends, of all
/// callers together, as the columns of an Earley parser share them (Earley, 1970). A **configuration** is the set of places a
/// text may have reached. Contexts and configurations are numbered by what they hold, so equal ones are one, and what a byte
/// makes of a configuration is computed once: a deterministic automaton that is made as it is needed.
struct Machine {
  struct Place: Hashable, Comparable {
    var state: Int32
    var count: Int32
    var context: Int32

    static func < (a: Place, b: Place) -> Bool {
      if a.state != b.state { return a.state < b.state }
      if a.context != b.context { return a.context < b.context }
      return a.count < b.count
    }
  }

  struct Configuration: Hashable {
    var places: [Place]
    /// Whether the text may end here.
    var mayEnd = false
    /// Whether the rule has ended whose callers are not known (see `LocalMask`).
    var escapes = false
  }

  /// States that are none: the end of the text, and the unknown callers of a rule.
  static let endOfText: Int32 = -1
  static let unknownCaller: Int32 = -2
  /// The context of the first rule, and that of a rule whose callers are not known.
  static let outermost: Int32 = 0
  static let unknown: Int32 = 1

  static let dead: Int32 = -1
  private static let notComputed: Int32 = -2
  /// More places than this in one configuration are refused.
  private static let placeLimit = 5_000

  let automaton: Automaton
  var contexts: [[Place]] = []
  var contextNumbers: [[Place]: Int32] = [:]
  var configurations: [Configuration] = []
  var numbers: [Configuration: Int32] = [:]
  /// [configuration, class]
  var transitions: [Int32] = []
  /// [context]: the configuration of its callers, where it was computed.
  var returns: [Int32: Int32] = [:]
  /// By rule: what begins it.
  private var starts: [Int32: Start] = [:]
  /// How many places were looked at since this was set to 0.
  var work = 0

  /// Why a step is not taken.
  struct TooAmbiguous: Error {}

  private struct Start {
    var places: [(state: Int32, count: Int32)] = []
    var calls: [(rule: Int32, target: Int32, count: Int32)] = []
  }

  init(_ automaton: Automaton) {
    self.automaton = automaton
    clear()
  }

  /// How much is remembered, in numbers.
  var size: Int { transitions.count + 8 * configurations.count + 16 * contexts.count }

  mutating func clear() {
    contexts = []
    contextNumbers = [:]
    configurations = []
    numbers = [:]
    transitions = []
    returns = [:]
    _ = number(of: [Place(state: Self.endOfText, count: 0, context: Self.outermost)])
    _ = number(of: [Place(state: Self.unknownCaller, count: 0, context: Self.unknown)])
  }

  /// The number of a context.
  mutating func number(of places: [Place]) -> Int32 {
    if let number = contextNumbers[places] { return number }
    let number = Int32(contexts.count)
    contexts.append(places)
    contextNumbers[places] = number
    return number
  }

  /// The number of a configuration, whose places are sorted; `dead` for one from which nothing follows.
  mutating func number(of configuration: Configuration) -> Int32 {
    if configuration.places.isEmpty, !configuration.mayEnd, !configuration.escapes { return Self.dead }
    if let number = numbers[configuration] { return number }
    let number = Int32(configurations.count)
    configurations.append(configuration)
    numbers[configuration] = number
    transitions.append(contentsOf: repeatElement(Self.notComputed, count: automaton.classCount))
    return number
  }

  /// The configuration before the first byte.
  mutating func start() throws(TooAmbiguous) -> Int32 {
    var closure = Closure()
    closure.calls.append((0, Place(state: Self.endOfText, count: 0, context: Self.outermost)))
    if automaton.rules[0].isNullable { closure.mayEnd = true }
    return try finish(&closure)
  }

  /// What a byte of `byteClass` makes of a configuration.
  @inline(__always)
  mutating func step(_ configuration: Int32, _ byteClass: UInt8) throws(TooAmbiguous) -> Int32 {
    let place = Int(configuration) * automaton.classCount + Int(byteClass)
    let next = transitions[place]
    if next != Self.notComputed { return next }
    let computed = try computedStep(configuration, byteClass)
    transitions[place] = computed
    return computed
  }

  private mutating func computedStep(_ configuration: Int32, _ byteClass: UInt8) throws(TooAmbiguous) -> Int32 {
    let byte = automaton.representatives[Int(byteClass)]
    var closure = Closure()
    for place in configurations[Int(configuration)].places {
      for index in automaton.bytes.range(place.state) {
        let edge = automaton.bytes.edges[index]
        guard edge.first <= byte, byte <= edge.last else { continue }
        closure.add(Place(state: edge.target, count: place.count, context: place.context))
      }
    }
    if closure.waiting.isEmpty { return Self.dead }
    return try finish(&closure)
  }

  /// The configuration of the callers in `context`, whose rule has ended.
  mutating func returning(to context: Int32) throws(TooAmbiguous) -> Int32 {
    if let known = returns[context] { return known }
    var closure = Closure()
    for place in contexts[Int(context)] { closure.add(place) }
    let result = try finish(&closure)
    returns[context] = result
    return result
  }

  /// What can be reached without a byte.
  private struct Closure {
    var seen: Set<Place> = []
    var waiting: [Place] = []
    var places: [Place] = []
    var calls: [(rule: Int32, target: Place)] = []
    /// The least count at which a head was reached whose body may match nothing.
    var least: [Place: Int32] = [:]
    var mayEnd = false
    var escapes = false

    mutating func add(_ place: Place) {
      if seen.insert(place).inserted { waiting.append(place) }
    }
  }

  private mutating func finish(_ closure: inout Closure) throws(TooAmbiguous) -> Int32 {
    // First where the text goes on in rules that have begun, and in those that called them; calls wait, for all callers of a
    // rule at one place of the text share its context.
    while let place = closure.waiting.popLast() {
      work += 1
      guard closure.seen.count <= 4 * Self.placeLimit else { throw TooAmbiguous() }
      let state = place.state
      if state < 0 {
        if state == Self.endOfText { closure.mayEnd = true } else { closure.escapes = true }
        continue
      }
      if automaton.isEnd[Int(state)] { for caller in contexts[Int(place.context)] { closure.add(caller) } }
      for index in automaton.empties.range(state) {
        closure.add(Place(state: automaton.empties.edges[index], count: place.count, context: place.context))
      }
      if automaton.heads[Int(state)] >= 0 {
        let loop = automaton.loops[Int(automaton.heads[Int(state)])]
        if place.count < loop.maximum {
          closure.add(Place(state: loop.body, count: place.count, context: place.context))
        }
        if place.count >= loop.minimum { closure.add(Place(state: loop.exit, count: 0, context: place.context)) }
      }
      if automaton.backs[Int(state)] >= 0 { goBack(from: place, &closure) }
      for index in automaton.calls.range(state) {
        let call = automaton.calls.edges[index]
        let target = Place(state: call.target, count: place.count, context: place.context)
        if automaton.rules[Int(call.rule)].isNullable { closure.add(target) }
        closure.calls.append((call.rule, target))
      }
      if !automaton.bytes.range(state).isEmpty { closure.places.append(place) }
    }
    if !closure.calls.isEmpty { try call(&closure) }
    return number(
      of: Configuration(places: sorted(closure.places), mayEnd: closure.mayEnd, escapes: closure.escapes))
  }

  private func goBack(from place: Place, _ closure: inout Closure) {
    let head = automaton.backs[Int(place.state)]
    let loop = automaton.loops[Int(automaton.heads[Int(head)])]
    // Without a maximum only the minimum is counted to.
    let count = loop.maximum == .max ? min(place.count + 1, loop.minimum) : place.count + 1
    if loop.isNullable {
      // Once around without a byte is no better than not at all.
      let key = Place(state: head, count: 0, context: place.context)
      if let least = closure.least[key], least <= count { return }
      closure.least[key] = count
    }
    closure.add(Place(state: head, count: count, context: place.context))
  }

  /// Begins the rules that are called, each once, callers before those that they call.
  private mutating func call(_ closure: inout Closure) throws(TooAmbiguous) {
    var callers: [Int32: Set<Place>] = [:]
    var ranks: [(rank: Int32, rule: Int32)] = []
    func add(_ rule: Int32, _ target: Place) {
      if callers[rule] == nil {
        callers[rule] = []
        let rank = automaton.rules[Int(rule)].rank
        let place = ranks.firstIndex { $0.rank < rank } ?? ranks.count
        ranks.insert((rank, rule), at: place)
      }
      if target.state >= 0, automaton.isTail[Int(target.state)] {
        callers[rule]?.formUnion(contexts[Int(target.context)])
      } else {
        callers[rule]?.insert(target)
      }
    }
    for call in closure.calls { add(call.rule, call.target) }
    while let (_, rule) = ranks.popLast() {
      let context = number(of: callers[rule, default: []].sorted())
      let start = start(of: rule)
      work += 1 + start.places.count + start.calls.count
      for place in start.places {
        closure.places.append(Place(state: place.state, count: place.count, context: context))
      }
      for call in start.calls {
        add(call.rule, Place(state: call.target, count: call.count, context: context))
      }
      guard closure.places.count <= 4 * Self.placeLimit else { throw TooAmbiguous() }
    }
  }

  /// The states with bytes, and the calls, that a rule begins with.
  private mutating func start(of rule: Int32) -> Start {
    if let known = starts[rule] { return known }
    var closure = Closure()
    closure.add(Place(state: automaton.rules[Int(rule)].start, count: 0, context: Self.unknown))
    var start = Start()
    while let place = closure.waiting.popLast() {
      let state = place.state
      for next in automaton.empties[state] {
        closure.add(Place(state: next, count: place.count, context: place.context))
      }
      if automaton.heads[Int(state)] >= 0 {
        let loop = automaton.loops[Int(automaton.heads[Int(state)])]
        if place.count < loop.maximum {
          closure.add(Place(state: loop.body, count: place.count, context: place.context))
        }
        if place.count >= loop.minimum { closure.add(Place(state: loop.exit, count: 0, context: place.context)) }
      }
      // Once around without a byte leads to nothing new.
      for call in automaton.calls[state] {
        start.calls.append((call.rule, call.target, place.count))
        if automaton.rules[Int(call.rule)].isNullable {
          closure.add(Place(state: call.target, count: place.count, context: place.context))
        }
      }
      if !automaton.bytes[state].isEmpty { start.places.append((state, place.count)) }
    }
    starts[rule] = start
    return start
  }

  /// Sorted, each once, without those that another place makes needless: of counts that have reached their minimum the least
  /// leads to everything that the others do.
  private func sorted(_ places: [Place]) -> [Place] {
    var result: [Place] = []
    result.reserveCapacity(places.count)
    for place in places.sorted() {
      if let last = result.last, last.state == place.state, last.context == place.context {
        if last.count == place.count { continue }
        let loop = automaton.counting[Int(place.state)]
        if loop >= 0, last.count >= automaton.loops[Int(loop)].minimum { continue }
      }
      result.append(place)
    }
    return result
  }
}
