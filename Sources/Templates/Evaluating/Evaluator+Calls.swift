import Essentials

extension Evaluator {
  /// The value of a call, with the caller of a call block.
  func value(ofCall expression: Expression, caller: TemplateValue?) throws(TemplateFault) -> TemplateValue {
    guard case .call(let called, let given) = expression.kind else { return .none }
    let function = try value(of: called)
    var arguments = try arguments(given)
    if let caller { try arguments.name("caller", caller) }
    line = expression.line
    return try call(function, arguments)
  }

  /// What `function` gives.
  func call(_ function: TemplateValue, _ given: Arguments) throws(TemplateFault) -> TemplateValue {
    switch function {
    case .undefined(let why): throw TemplateFault(why)
    case .macro(let macro): return .string(try call(macro, given))
    case .method(let object, let name): return try Methods.call(name, of: object, given, self)
    case .function(let function): return try call(function, given)
    case .loop(let loop):
      guard let recursive = loop.recursive else {
        throw TemplateFault("'loop' can be called where the loop is 'recursive'")
      }
      let items = try given.bound(to: "iterable", required: 1, of: "'loop'")[0] ?? .none
      return .string(
        try text(in: recursive.scope) { _ throws(TemplateFault) in
          try execute(recursive.loop, over: items, depth0: loop.depth0 + 1, in: recursive.scope)
        })
    case .cycler(let cycler) where cycler.isJoiner:
      defer { cycler.place = 1 }
      return cycler.place == 0 ? .string("") : cycler.items.list[0]
    default: throw TemplateFault("a value of the type '\(function.type)' cannot be called")
    }
  }

  private func call(_ macro: TemplateMacro, _ given: Arguments) throws(TemplateFault) -> String {
    let signature = macro.signature
    let names = signature.parameters.map(name(of:))
    var given = given
    var values: [TemplateValue?] = given.positional.prefix(names.count).map(Optional.some)
    for name in names.dropFirst(values.count) { values.append(given.take(name)) }
    var caller: TemplateValue?
    if signature.usesCaller, !names.contains("caller") {
      caller = given.take("caller") ?? .undefined(why: "the macro is not called by a 'call' block")
    }
    if !signature.usesNamed, let extra = given.named.first {
      throw TemplateFault("the macro '\(macro.name)' takes no argument '\(extra.name)'")
    }
    let extra = Array(given.positional.dropFirst(names.count))
    if !signature.usesPositional, !extra.isEmpty {
      throw TemplateFault("the macro '\(macro.name)' takes at most \(names.count) arguments")
    }
    let (usesNamed, usesPositional, leftover) = (signature.usesNamed, signature.usesPositional, given.named)
    return try text(in: macro.scope) { scope throws(TemplateFault) in
      if let caller, let symbol = number(of: "caller") { scope.set(symbol, caller) }
      let firstDefault = names.count - signature.defaults.count
      for (place, symbol) in signature.parameters.enumerated() {
        scope.set(symbol, values[place] ?? .undefined(why: "the parameter '\(names[place])' was not given"))
      }
      // A default sees the parameters, itself among them, not what stands outside under their names.
      for (place, symbol) in signature.parameters.enumerated() where values[place] == nil && place >= firstDefault {
        scope.set(symbol, try value(of: signature.defaults[place - firstDefault]))
      }
      if usesNamed, let symbol = number(of: "kwargs") {
        var mapping = TemplateMapping()
        for (name, value) in leftover { try mapping.set(.string(name), value) }
        scope.set(symbol, .mapping(mapping))
      }
      if usesPositional, let symbol = number(of: "varargs") { scope.set(symbol, try .tuple(of: extra)) }
      _ = try execute(macro.body)
    }
  }

  private func call(_ function: TemplateFunction, _ given: Arguments) throws(TemplateFault) -> TemplateValue {
    switch function {
    case .range: return try range(given)
    case .namespace:
      let namespace = TemplateNamespace()
      namespaces.append(namespace)
      for (key, value) in try members(given, of: "'namespace'") {
        guard let name = key.text else { throw TemplateFault("an attribute's name is no string") }
        try namespace.set(name, value)
      }
      return .namespace(namespace)
    case .dict:
      var mapping = TemplateMapping()
      for (key, value) in try members(given, of: "'dict'") { try mapping.set(key, value) }
      return .mapping(mapping)
    case .cycler:
      if given.positional.isEmpty { throw TemplateFault("'cycler' needs an item") }
      return .cycler(try TemplateCycler(given.positional))
    case .joiner:
      let separator = try given.bound(to: "sep", of: "'joiner'")[0] ?? .string(", ")
      return .cycler(try TemplateCycler([separator], isJoiner: true))
    case .raiseException:
      let message = try given.bound(to: "message", required: 1, of: "'raise_exception'")[0] ?? .none
      throw TemplateFault("the template refuses: \(try string(of: message))", kind: .refusal)
    case .strftimeNow:
      return .string(
        try time(try given.bound(to: "format", required: 1, of: "'strftime_now'")[0].text(or: "", of: "'strftime_now'"))
      )
    }
  }

  /// The members of a mapping or of pairs, and the named arguments.
  private func members(_ given: Arguments, of what: String) throws(TemplateFault) -> [(TemplateValue, TemplateValue)] {
    guard given.positional.count <= 1 else { throw TemplateFault("\(what) takes at most one mapping") }
    var members: [(TemplateValue, TemplateValue)] = []
    if let first = given.positional.first {
      if case .mapping(let mapping) = first {
        members = Array(zip(mapping.keys, mapping.values))
      } else if case .namespace(let namespace) = first {
        members = Array(zip(namespace.values.keys, namespace.values.values))
      } else {
        for pair in try first.items(budget) {
          let items = try pair.items(budget)
          guard items.count == 2 else { throw TemplateFault("\(what) takes pairs, not \(items.count) values") }
          members.append((items[0], items[1]))
        }
      }
    }
    return members + given.named.map { (.string($0.name), $0.value) }
  }

  private func range(_ given: Arguments) throws(TemplateFault) -> TemplateValue {
    var numbers: [Int] = []
    for value in given.positional { numbers.append(try Optional(value).integer(or: 0, of: "'range'")) }
    guard given.named.isEmpty, (1...3).contains(numbers.count) else {
      throw TemplateFault("'range' takes from one to three integers")
    }
    let (start, stop) = numbers.count == 1 ? (0, numbers[0]) : (numbers[0], numbers[1])
    let step = numbers.count == 3 ? numbers[2] : 1
    if step == 0 { throw TemplateFault("the step of 'range' is 0") }
    let (distance, isTooLarge) = stop.subtractingReportingOverflow(start)
    guard !isTooLarge, step != .min, (distance < 0) != (step < 0) || distance / step <= TemplateLimits.range else {
      throw TemplateFault("'range' gives at most \(TemplateLimits.range) numbers", kind: .limit)
    }
    let range = TemplateRange(start: start, stop: stop, step: step)
    guard range.count <= TemplateLimits.range else {
      throw TemplateFault("'range' gives at most \(TemplateLimits.range) numbers", kind: .limit)
    }
    return .range(range)
  }

  /// The local time, as the system's `strftime` writes it.
  private func time(_ format: String) throws(TemplateFault) -> String {
    guard format.utf8.count <= 256 else { throw TemplateFault("'strftime_now' takes at most 256 bytes", kind: .limit) }
    if format.isEmpty { return "" }
    var seconds = now ?? currentTime()
    var parts = tm()
    guard localtime_r(&seconds, &parts) != nil else { throw TemplateFault("the time cannot be told") }
    // A mark in front, so that an empty result is no failure.
    var buffer = [CChar](repeating: 0, count: 8192)
    let count = strftime(&buffer, buffer.count, "x" + format, &parts)
    guard count > 0 else { throw TemplateFault("'strftime_now' writes too much", kind: .limit) }
    return String(decoding: buffer[1..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// Seconds since 1970.
private func currentTime() -> Int { Int(time(nil)) }
