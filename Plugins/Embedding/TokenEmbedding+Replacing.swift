import Components
import Kernels

extension TokenEmbedding.Replacement {
  /// Writes the rows of the stack in the places of the token.
  func write(_ x: Value, reading stacks: [StackStates], scale: Double, into plan: inout PlanBuilder) -> Value {
    let names = stacks.map(\.name)
    guard let stack = from.map({ name in stacks.first { $0.name == name } }) ?? (stacks.count == 1 ? stacks[0] : nil)
    else {
      plan.fail(
        from.map { "no stack is named '\($0)'" }
          ?? (names.isEmpty ? "there is no other stack whose rows could stand here" : "there are several stacks"),
        at: place,
        hint: names.isEmpty ? "describe it under 'stacks'" : "say which: from: \(names[0])")
      return x
    }
    let rows = stack.states
    guard rows.width == x.width * (1 + layers) else {
      let wanted = layers == 0 ? "\(x.width)" : "\(x.width), once and for \(layers) layers"
      plan.fail(
        "rows of \(rows.width) numbers of the stack '\(stack.name)' cannot stand among those of \(wanted)", at: place,
        hint: "give the stack an output with 'project'\(layers == 0 ? "" : " and as many 'taps'")")
      return x
    }
    plan.place(rowsOf: rows.axis, at: token, lines: lines)
    let width = x.width
    let parts = plan.within("embed") { plan in
      let rows = scaled ? plan.scale(rows, by: scale) : rows
      return layers == 0 ? [rows] : plan.split(rows, into: Array(repeating: width, count: 1 + layers))
    }
    if layers > 0 {
      let token = token
      plan.leave(
        AddedAfterLayers { stream, layer, plan in
          guard layer + 1 < parts.count else { return stream }
          return Self.write(
            ReplaceRows(token: token, lines: nil, adds: true), stream, parts[layer + 1], "added", into: &plan)
        })
    }
    if layers > 0, lines != nil {
      plan.fail("rows that are added behind layers are not laid in lines", at: place, hint: "leave 'lines' out")
    }
    return Self.write(ReplaceRows(token: token, lines: lines, adds: false), x, parts[0], "embed", into: &plan)
  }

  private static func write(
    _ operation: ReplaceRows, _ x: Value, _ rows: Value, _ scope: String, into plan: inout PlanBuilder
  ) -> Value {
    plan.within(scope) { plan in
      let states = [
        plan.state("rows", width: rows.width, extent: .perToken, axis: rows.axis),
        plan.state("replaced", width: 1, extent: .fixed),
      ]
      // Li et al., 2024 (LLaVA-NeXT), start the row that ends a line as long as an embedding.
      let newline =
        operation.lines == nil
        ? [] : [plan.parameter("newline.weight", shape: [x.width], starts: .normal(1 / Double(x.width).squareRoot()))]
      return plan.apply(operation, to: x, rows, parameters: newline, states: states)
    }
  }
}

/// Rows of another axis in the places of one token, or added to what stands there: the k-th place has the k-th row.
///
///     y[t] = r[k] where token[t] is the k-th of its kind in the text, else x[t];   with `adds` x[t] + r[k] there
///     in lines:  y[t] = w where r[k] is no number        w: [width]
///
/// A place for which there is no row keeps its own: who gives rows counts the places. Rows that end the lines of a picture are given
/// as NaN, and the learned row stands there.
struct ReplaceRows: Kernel {
  let name = "replace rows"
  let token: Int
  let lines: PictureLines?
  let adds: Bool

  var attributes: [Attribute] {
    [
      Attribute("token", token), Attribute("adds", adds, plain: false),
      Attribute("lines", lines.map { Attribute.Value.group("newline", $0.attributes) }),
    ]
  }
  var traits: OperatorTraits {
    OperatorTraits(overwritableInput: 0, backwardReadsInputs: lines == nil ? .none : .only([1]))
  }
  func outputs(_ inputs: [ValueShape], parameters: [[Int]]) -> [ValueShape] { [inputs[0]] }

  func forward(_ context: ForwardContext) {
    let (x, y) = (context.input(), context.output())
    if x.base != UnsafePointer(y.base) { y.base.update(from: x.base, count: x.count * x.width) }
    let newline = lines == nil ? nil : context.parameter().vector
    let scratch = context.pass.scratch
    for (index, sequence) in context.sequences.enumerated() {
      let rows = context.append(input: 1, to: 0, of: index)
      let counter = context.state(1, of: index)
      var next = Int(counter?.pointee ?? 0)
      for row in sequence.rows where Int(context.tokens[row]) == token {
        if next < rows.count {
          let given = rows.rows.base + next * rows.rows.rowBytes
          if adds {
            widen(rows.rows.format, given, count: y.width, into: scratch)
            add(scratch, scaledBy: 1, to: y[row], count: y.width)
          } else {
            widen(rows.rows.format, given, count: y.width, into: y[row])
            if let newline, y[row][0].isNaN { y[row].update(from: newline, count: y.width) }
          }
        }
        next += 1
      }
      counter?.pointee = Float(next)
    }
  }

  /// `dr[k] += dy[t]` where row k stands, `dw += dy[t]` where it ends a line, `dx[t] += dy[t]` elsewhere; with `adds` there too.
  func backward(_ context: BackwardContext) {
    let dy = context.outputGradient()
    let (dx, dr) = (context.inputGradient(0), context.inputGradient(1))
    let given = context.batch(ofInput: 1).sequences
    let r = lines.map { _ in context.input(1) }
    let dw = lines == nil ? nil : context.parameterGradient()
    for (index, sequence) in context.sequences.enumerated() {
      var rows = given[index].rows
      for row in sequence.rows {
        if Int(context.tokens[row]) == token, let source = rows.popFirst() {
          if let r, r[source][0].isNaN {
            if let dw { add(dy[row], scaledBy: 1, to: dw, count: dy.width) }
          } else if let dr {
            add(dy[row], scaledBy: 1, to: dr[source], count: dy.width)
          }
          if adds, let dx { add(dy[row], scaledBy: 1, to: dx[row], count: dy.width) }
        } else if let dx {
          add(dy[row], scaledBy: 1, to: dx[row], count: dy.width)
        }
      }
    }
  }

  func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    guard lines == nil, !adds else { return nil }
    call.mayBeNone(input: 1)
    call.define(
      "replace",
      """
      def replace(x, rows, places):
          \"""x with the rows of all pictures, in order, where `places` is true; x where there are none.\"""
          if rows is None:
              return x
          return x.masked_scatter(places.unsqueeze(-1), rows.to(x.dtype))
      """)
    return .call("replace", [call.input(0), call.input(1), "\(call.tokens.text) == \(token)"])
  }

  func scratch(step: Step, rows: Int, context: Int) -> Int { adds ? step.outputs[0].width : 0 }

  func flops(step: Step, context: Int) -> Int { adds ? step.outputs[0].width : 0 }
}
