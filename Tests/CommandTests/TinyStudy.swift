import Files
import Foundation
import Testing

/// A model of 6,000 parameters with its text in a folder, and what is asked of it in most tests.
struct TinyStudy {
  let folder: URL
  let spec: String
  let text: String

  init(in folder: URL) throws {
    self.folder = folder
    spec = try folder.write(
      """
      name: tiny
      vocab_size: 96
      context_length: 16
      hidden_size: 16
      layers: {count: 1}
      position: {type: learned}
      norm: {type: layernorm, eps: 1.0e-5}
      block: {placement: pre}
      attention: {num_heads: 2, bias: true}
      mlp: {intermediate_size: 32, activation: gelu_tanh, bias: true}
      head: {tied: true}

      """, to: "tiny.yaml")
    text = try folder.write(
      (0..<300).map { "once upon a time there was a little girl \($0)\n" }.joined(), to: "text.txt")
  }

  var environment: [String: String] { ["CHIMERA_CACHE": folder.path + "/cache"] }
  func path(_ name: String) -> String { folder.path + "/" + name }

  func run(_ arguments: String..., memory: Int? = nil) throws -> Command {
    try Command(arguments, environment: environment, memory: memory, in: folder)
  }

  /// A run in the folder `out`.
  func train(_ out: String, _ more: String...) throws -> Command {
    try Command(
      [
        "train", spec, "--data", text, "--tokenizer", "char", "--batch", "2", "--threads", "1", "-q", "--out",
        path(out),
      ]
        + more, environment: environment)
  }

  /// A study with a few steps a run, in the folder `out`.
  func ablate(_ out: String, _ more: String...) throws -> Command {
    try Command(
      [
        "ablate", spec, "--data", text, "--train", "steps=8", "--train", "batch=2", "--threads", "1", "-q", "--out",
        path(out),
      ]
        + more, environment: environment)
  }

  func text(of name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
  func names(_ name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted()
  }
}
