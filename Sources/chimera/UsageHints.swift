import Essentials

/// What a person is told beside a mistake of the command line, where what was meant is plain.
enum UsageHints {
  /// The words of other tools, and what says it here.
  private static let options: [String: [String: String]] = [
    "train": [
      "learning-rate": "--lr", "learning_rate": "--lr",
      "epochs": "--steps (a step is one batch, not a pass over the data)",
      "batch-size": "--batch", "batch_size": "--batch", "max-steps": "--steps", "iters": "--steps",
      "weight-decay": "--optimizer '{type: adamw, weight_decay: 0.1}'", "grad-clip": "--clip", "output": "--out",
    ],
    "run": [
      "max-new-tokens": "--max-tokens", "num-predict": "--max-tokens", "n-predict": "--max-tokens",
      "max-length": "--max-tokens", "temp": "--temperature", "prompt": "the prompt after the model, in quotes",
      "ctx-size": "--set context_length=N", "context": "--set context_length=N", "batch-size": "--together",
      "repetition-penalty": "--repeat-penalty", "ignore-eos": "--ignore-end", "stream": "--jsonl",
      "num-return-sequences": "--count", "file": "--prompt-file", "num-beams": "--beams",
    ],
    "ablate": [
      "context": "--train context=N", "steps": "--train steps=N", "lr": "--train lr=X", "batch": "--train batch=N",
      "learning-rate": "--train lr=X",
    ],
  ]

  /// The words of commands that other tools have.
  private static let commands: [String: String] = [
    "talk": "it is 'chimera chat'", "generate": "it is 'chimera run'", "complete": "it is 'chimera run'",
    "ls": "it is 'chimera list'",
    "info": "it is 'chimera show'", "convert": "it is 'chimera save'", "export": "it is 'chimera save'",
    "finetune": "it is 'chimera train MODEL --init-from MODEL'", "validate": "it is 'chimera check'",
    "compare": "it is 'chimera diff'", "perplexity": "it is 'chimera eval'", "evaluate": "it is 'chimera eval'",
    "benchmark": "it is 'chimera bench'", "create": "a variant is begun with 'chimera new NAME --from MODEL'",
    "download": "it is 'chimera pull'", "fetch": "it is 'chimera pull'", "upload": "it is 'chimera push'",
    "rm": "it is 'chimera cache remove'", "init": "a variant is begun with 'chimera new NAME --from MODEL'",
  ]

  /// What `word`, no command of this program, is called here; nil when nothing is like it.
  static func command(_ word: String) -> String? { commands[word] }

  /// What was meant by `arguments`, which were refused with `message`; nil when that is not plain.
  static func hint(_ message: String, _ arguments: [String]) -> String? {
    guard let command = arguments.first else { return nil }
    let words = quoted(in: message)
    if message.contains("Unknown option"), let word = words.first {
      let name = word.trimmingPrefix(while: { $0 == "-" })
      if let meant = options[command]?[String(name)] { return "it is \(meant)" }
    }
    guard message.contains("nexpected argument") else { return nil }
    if let place = arguments.firstIndex(of: "--set"), arguments.indices.contains(place + 2),
      !arguments[place + 1].contains("="), words.contains(arguments[place + 2])
    {
      return "a change is one word: --set \(arguments[place + 1])=\(arguments[place + 2])"
    }
    switch command {
    case "run": return "a prompt of several words stands in quotes: chimera run MODEL \"Once upon a time\""
    case "tokenize": return "a text of several words stands in quotes"
    case "list":
      return "'chimera list | grep \(words.first ?? "WORD")' looks for a word; --family and --component filter"
    default: return nil
    }
  }

  /// The words that `message` has in single quotes.
  private static func quoted(in message: String) -> [String] {
    message.split(separator: "'", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
  }
}
