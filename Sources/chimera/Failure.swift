import Ablation
import ArgumentParser
import Components
import Essentials
import Execution
import Export
import Files
import Grammars
import Models
import PluginLoading
import Probing
import Specification
import Templates
import Tokenization
import Training

/// Why a command ends without its result: the message, and the exit status that the contract gives it.
struct Failure: Error {
  /// 0 done · 1 failed · 2 usage · 3 invalid spec or file · 4 not found · 130 interrupted.
  enum Status: Int32 {
    case failed = 1
    case usage = 2
    case invalid = 3
    case notFound = 4
  }

  let status: Status
  let message: String

  init(_ status: Status, _ message: String) {
    self.status = status
    self.message = message
  }

  /// Shows the line that a problem is in: of a file, or of what was given with an option that takes YAML.
  private static var renderer: ProblemRenderer {
    var texts: [String: [String]] = [:]
    for (argument, next) in zip(CommandLine.arguments, CommandLine.arguments.dropFirst() + [""]) {
      for option in [Overrides.source] + StudyOptions.sources + TrainArguments.sources {
        if argument == option { texts[option, default: []].append(next) }
        if argument.hasPrefix(option + "=") {
          texts[option, default: []].append(String(argument.dropFirst(option.count + 1)))
        }
      }
    }
    return ProblemRenderer(texts: texts.mapValues { $0.joined(separator: "\n") })
  }

  /// Writes what `error` says to standard error, or to standard output when it is help that was asked for, and gives
  /// the exit status.
  static func report(_ error: any Error) -> Int32 {
    let renderer = renderer
    switch error {
    case let problems as Problems:
      Console.note(renderer.render(problems))
      return Status.invalid.rawValue
    case let problem as Problem:
      Console.note(renderer.render(problem))
      return Status.invalid.rawValue
    case let failure as Failure:
      Console.note("error: \(failure.message)")
      return failure.status.rawValue
    case let problem as FileProblem:
      return report(problem)
    case TokenizerProblem.file(let problem):
      return report(problem)
    case let problem as TokenizerProblem:
      let sentence = problem.description.onOneLine
      // What has a path begins with it, like the places of a spec.
      Console.note(sentence.contains(": error: ") ? sentence : "error: \(sentence)")
      if case .noVocabulary(let path, _) = problem, kind(ofPath: path) == .nothing { return Status.notFound.rawValue }
      return Status.invalid.rawValue
    case let problem as ModelProblem:
      Console.note("error: \(problem.description.onOneLine)")
      switch problem {
      case .notFound, .noWeights, .family, .untrained, .hubName: return Status.notFound.rawValue
      case .notAModel, .unknownKind, .noContinuation, .noStates, .noClasses, .noSource, .picture, .pooling:
        return Status.invalid.rawValue
      case .longPrompt, .noTemplate: return Status.usage.rawValue
      case .tooLarge, .notANumber, .damaged: return Status.failed.rawValue
      }
    case let problem as GrammarProblem:
      switch problem {
      case .syntax, .schema, .unusable:
        Console.note(problem.description.onOneLine)
        return Status.invalid.rawValue
      case .noToken, .forbidden, .ambiguous:
        Console.note("error: \(problem.description.onOneLine)")
        return Status.failed.rawValue
      }
    case let problem as TemplateProblem:
      Console.note("\(problem.name):\(problem.line): error: \(problem.sentence.onOneLine)")
      return (problem.kind == .syntax || problem.kind == .limit ? Status.invalid : .failed).rawValue
    case let problem as PluginProblem:
      Console.note(problem.description)
      return (kind(ofPath: problem.path) == .nothing ? Status.notFound : .invalid).rawValue
    case let problem as ExecutionProblem:
      Console.note("error: \(problem)")
      switch problem {
      case .tooLong, .unknownToken, .noTokens: return Status.usage.rawValue
      case .missingTensor, .wrongShape, .memory, .tooLittleMemory, .noKernel, .wrongInput, .missingInput, .continued:
        return Status.failed.rawValue
      }
    case let problem as TrainingProblem:
      switch problem {
      case .folder: Console.note(problem.description)
      default: Console.note("error: \(problem)")
      }
      switch problem {
      case .tooFewTokens, .unknownToken, .unsuited, .severalStacks, .noRule, .noExamples, .untrainablePictures:
        return Status.invalid.rawValue
      case .changed, .noTarget, .longExample, .shortContext, .noPart, .nothingLearned: return Status.usage.rawValue
      case .notANumber, .validationNotANumber, .evaluationNotANumber, .memory, .folder: return Status.failed.rawValue
      }
    case let problem as StudyProblem:
      Console.note("error: \(problem)")
      switch problem {
      case .another, .occupied: return Status.usage.rawValue
      case .changed, .damaged: return Status.invalid.rawValue
      }
    case let problem as ProbeProblem:
      Console.note("error: \(problem.description.onOneLine)")
      switch problem {
      case .unknown, .none, .noLens: return Status.invalid.rawValue
      case .lengths, .noOther, .position, .nothingToPredict, .tooManyWeights: return Status.usage.rawValue
      }
    case let problem as EngineProblem:
      Console.note("error: \(problem)")
      return Status.usage.rawValue
    case let problem as ExportProblem:
      Console.note("error: \(problem.description.onOneLine)")
      return Status.invalid.rawValue
    case let failure as ExportFailure:
      Console.note("error: \(failure.description.onOneLine)")
      return Status.failed.rawValue
    case let several as SeveralErrors:
      // The first decides the status; each is told.
      return several.list.map(report).first ?? Status.failed.rawValue
    case let ended as NetworkProgram.Ended:
      // It has said why.
      return ended.status
    case let code as ExitCode:
      return code.rawValue
    default:
      let code = Chimera.exitCode(for: error)
      let message = Chimera.fullMessage(for: error)
      if code == .success {
        Console.write(message + "\n")
        return 0
      }
      if !message.isEmpty { Console.note(Self.usage(message)) }
      return code == .validationFailure ? Status.usage.rawValue : Status.failed.rawValue
    }
  }

  /// What ArgumentParser says of a command line, in the style of every other message, with what was meant.
  private static func usage(_ message: String) -> String {
    var lines = message.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines[0].hasPrefix("Error: ") {
      var sentence = lines[0].dropFirst("Error: ".count)
      let first = sentence.prefix { $0 != " " }
      // A sentence of ours begins as it should; ArgumentParser's begins with a capital.
      if first.dropFirst().allSatisfy(\.isLowercase), let letter = sentence.first {
        sentence = letter.lowercased() + sentence.dropFirst()
      }
      lines[0] = "error: \(sentence)"
    }
    if let hint = UsageHints.hint(message, Array(CommandLine.arguments.dropFirst())) {
      lines.insert("  " + hint, at: 1)
    }
    return lines.joined(separator: "\n")
  }

  private static func report(_ problem: FileProblem) -> Int32 {
    Console.note(problem.description.onOneLine)
    switch problem.cause {
    case .system: return Status.failed.rawValue
    case .missing: return Status.notFound.rawValue
    case .content: return (kind(ofPath: problem.path) == .nothing ? Status.notFound : .invalid).rawValue
    }
  }
}
