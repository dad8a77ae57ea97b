import ArgumentParser

/// The option of every command that loads a model's weights and takes them changed by an adapter.
struct AdapterOption: ParsableArguments {
  @Option(name: .customLong("adapter"), help: "A LoRA adapter, as PEFT saves it, for the model.".with("folder"))
  var path: String?

  func validate() throws {
    if path?.isEmpty == true { throw ValidationError("--adapter takes the path of an adapter's folder") }
  }
}
