import CLibYAML

/// The events of a YAML text, one after another, as libyaml finds them.
///
/// libyaml's parser points into itself and into the bytes, so both live at fixed addresses until this is gone.
struct YAMLEvents: ~Copyable {
  /// A position in the text: line and column, both counted from 0, in characters.
  struct Mark: Equatable {
    var line: Int
    var column: Int

    init(_ mark: yaml_mark_t) {
      line = Int(clamping: mark.line)
      column = Int(clamping: mark.column)
    }
  }

  /// How a scalar was written.
  enum ScalarStyle {
    case plain, quoted, block
  }

  /// What was found.
  enum Content {
    case documentStart
    case documentEnd
    case streamEnd
    case alias(String)
    case scalar(String, ScalarStyle)
    case listStart
    case listEnd
    case groupStart(isFlow: Bool)
    case groupEnd
    /// Nothing that a reader needs: the start of the stream.
    case other
  }

  /// One event: what, with which anchor and tag, from where to where.
  struct Event {
    var content: Content
    var anchor: String?
    var tag: String?
    var start: Mark
    var end: Mark
  }

  /// What libyaml could not read, in its own words.
  struct Failure: Error {
    var problem: String
    var mark: Mark
    var context: String?
    var contextMark: Mark
  }

  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let bytes: UnsafeMutableBufferPointer<UInt8>

  /// The events of `text`; nil when libyaml has no memory.
  init?(_ text: SourceText) {
    parser = .allocate(capacity: 1)
    bytes = .allocate(capacity: max(1, text.bytes.count))
    guard yaml_parser_initialize(parser) == 1 else {
      parser.deallocate()
      bytes.deallocate()
      return nil
    }
    _ = bytes.initialize(from: text.bytes)
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, bytes.baseAddress, text.bytes.count)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
    bytes.deallocate()
  }

  /// The next event; after a failure or the end there is none to ask for.
  mutating func next() throws(Failure) -> Event {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { throw failure }
    defer { yaml_event_delete(&event) }
    var result = Event(content: .other, start: Mark(event.start_mark), end: Mark(event.end_mark))
    switch event.type {
    case YAML_STREAM_END_EVENT: result.content = .streamEnd
    case YAML_DOCUMENT_START_EVENT: result.content = .documentStart
    case YAML_DOCUMENT_END_EVENT: result.content = .documentEnd
    case YAML_ALIAS_EVENT: result.content = .alias(text(event.data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let style: ScalarStyle =
        switch scalar.style {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE, YAML_DOUBLE_QUOTED_SCALAR_STYLE: .quoted
        case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE: .block
        default: .plain
        }
      // By its length: an escape may have written a NUL into it.
      let value = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      result.content = .scalar(value, style)
      (result.anchor, result.tag) = (text(scalar.anchor), text(scalar.tag))
    case YAML_SEQUENCE_START_EVENT:
      result.content = .listStart
      (result.anchor, result.tag) = (text(event.data.sequence_start.anchor), text(event.data.sequence_start.tag))
    case YAML_SEQUENCE_END_EVENT: result.content = .listEnd
    case YAML_MAPPING_START_EVENT:
      result.content = .groupStart(isFlow: event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE)
      (result.anchor, result.tag) = (text(event.data.mapping_start.anchor), text(event.data.mapping_start.tag))
    case YAML_MAPPING_END_EVENT: result.content = .groupEnd
    default: result.content = .other
    }
    return result
  }

  private var failure: Failure {
    let parser = parser.pointee
    // The reader and the allocator leave no mark of the problem; where the parser stands is near enough.
    let hasMark = parser.error == YAML_SCANNER_ERROR || parser.error == YAML_PARSER_ERROR
    return Failure(
      problem: parser.error == YAML_MEMORY_ERROR
        ? "not enough memory" : parser.problem.map { String(cString: $0) } ?? "unknown problem",
      mark: Mark(hasMark ? parser.problem_mark : parser.mark),
      context: parser.context.map { String(cString: $0) },
      contextMark: Mark(parser.context_mark))
  }

  private func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    pointer.map { String(cString: $0) }
  }
}
