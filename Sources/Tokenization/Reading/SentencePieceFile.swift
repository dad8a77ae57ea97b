import Files

/// Reads a SentencePiece `.model` file: a message with pieces (field 1), how they were trained (2) and how text is
/// normalised (3); google/sentencepiece `src/sentencepiece_model.proto`.
enum SentencePieceFile {
  /// Whether `bytes` begin like such a file: with a first piece.
  static func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var reader = ProtobufReader(bytes, name: "")
    guard let first = try? reader.next(), first.field == 1, let piece = first.value.bytes else { return false }
    var inner = ProtobufReader(piece, name: "")
    guard let field = try? inner.next() else { return false }
    return field.field == 1 && field.value.bytes != nil
  }

  static func parts(
    _ bytes: UnsafeRawBufferPointer, path: String, _ companions: CompanionFiles
  ) throws(TokenizerProblem) -> Tokenizer.Parts {
    do {
      return try read(bytes, path: path, companions)
    } catch let problem as FileProblem {
      throw .file(problem)
    } catch let problem as TokenizerProblem {
      throw problem
    } catch {
      throw .broken(path: path, sentence: "\(error)")
    }
  }

  private static func read(
    _ bytes: UnsafeRawBufferPointer, path: String, _ companions: CompanionFiles
  ) throws -> Tokenizer.Parts {
    var source = SentencePieces(path: path)
    source.spacePrefix = .sentence
    source.collapsesSpaces = true
    source.algorithm = .unigram
    // Ids as the training options have them where the file leaves them out.
    var (unknown, beginning, end) = (0, 1, 2)
    var reader = ProtobufReader(bytes, name: path)
    while let (field, value) = try reader.next() {
      guard let message = value.bytes else { continue }
      switch field {
      case 1:
        guard source.pieces.count < Vocabulary.largestCount else {
          throw TokenizerProblem.broken(path: path, sentence: "more than \(Vocabulary.largestCount) pieces")
        }
        source.pieces.append(try piece(message, path: path))
      case 2:
        var options = ProtobufReader(message, name: path)
        while let (field, value) = try options.next() {
          switch field {
          case 3:
            guard let algorithm = value.integer.flatMap({ SentencePieces.Algorithm(rawValue: $0) }) else {
              throw TokenizerProblem.unsupported(
                path: path, part: "model_type", found: value.integer == 3 ? "word" : "another")
            }
            source.algorithm = algorithm
          case 24:
            if value.bool == true {
              throw TokenizerProblem.unsupported(path: path, part: "treat_whitespace_as_suffix", found: "true")
            }
          case 40: unknown = value.integer ?? unknown
          case 41: beginning = value.integer ?? beginning
          case 42: end = value.integer ?? end
          default: break
          }
        }
      case 3:
        var options = ProtobufReader(message, name: path)
        while let (field, value) = try options.next() {
          switch field {
          case 2: source.characterMap = value.bytes.map { Array($0) } ?? []
          case 3: source.spacePrefix = value.bool ?? true ? .sentence : .none
          case 4: source.collapsesSpaces = value.bool ?? true
          case 5:
            if value.bool == false {
              throw TokenizerProblem.unsupported(path: path, part: "escape_whitespaces", found: "false")
            }
          default: break
          }
        }
      default: break
      }
    }
    guard !source.pieces.isEmpty else { throw TokenizerProblem.broken(path: path, sentence: "the file has no pieces") }
    func id(_ id: Int, _ kind: PieceKind) -> Int? {
      source.pieces.indices.contains(id) && source.pieces[id].kind == kind ? id : nil
    }
    source.unknown = id(unknown, .unknown)
    source.beginningOfText = id(beginning, .control)
    source.endOfText = id(end, .control).map { [$0] } ?? []
    // The library itself adds no marks; models of this kind are trained with a beginning, and their configurations say
    // so.
    source.addsBeginning = companions.addsBeginning ?? (source.algorithm == .merging)
    source.addsEnd = companions.addsEnd ?? false
    source.otherTokens = companions.added.filter { $0.id >= source.pieces.count }
    return try source.parts()
  }

  private static func piece(
    _ bytes: UnsafeRawBufferPointer, path: String
  ) throws -> (bytes: [UInt8], score: Float, kind: PieceKind) {
    var result: (bytes: [UInt8], score: Float, kind: PieceKind) = ([], 0, .normal)
    var reader = ProtobufReader(bytes, name: path)
    while let (field, value) = try reader.next() {
      switch field {
      case 1: result.bytes = value.bytes.map { Array($0) } ?? []
      case 2: result.score = value.float ?? 0
      case 3:
        guard let number = value.integer, let kind = PieceKind(rawValue: UInt8(clamping: number)) else {
          throw TokenizerProblem.broken(path: path, sentence: "a piece is of the unknown kind \(value.integer ?? -1)")
        }
        result.kind = kind
      default: break
      }
    }
    return result
  }
}
