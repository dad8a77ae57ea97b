import ArgumentParser

/// The command line.
struct Chimera: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chimera",
    abstract: "Compose transformers from YAML, and run them.",
    discussion: """
      A MODEL is a name from the zoo (chimera list), a YAML file, a Hugging Face folder, a GGUF file, or a repository of a \
      hub, org/name or org/name@revision, once chimera pull has fetched it.

      With --plugin PATH any command loads a library of components first (chimera plugin new creates one), as with paths in \
      CHIMERA_PLUGINS.

      ENVIRONMENT:
      CHIMERA_MODELS, CHIMERA_ARCHITECTURES  Folders to look in first; with ':'.
      CHIMERA_PLUGINS  Libraries of components to load first; several with ':'.
      CHIMERA_TOKEN    The token that clients of chimera serve present.
      CHIMERA_CACHE    The folder of what can be made again. [chimera in XDG_CACHE_HOME]
      CHIMERA_KERNELS  The instructions to use at most (chimera bench names them).
      CHIMERA_ARITHMETIC  That of matrix multiplications: exact, stored or bf16.
      XDG_CONFIG_HOME  The folder of chimera/config.yaml. [~/.config]
      HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME
                       Where Hugging Face's tools keep models, which are found there.
      HF_ENDPOINT      The hub. [https://huggingface.co]
      HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH  The hub's token, or its file.
      HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE  1: use no network.
      https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY, no_proxy, NO_PROXY
                       The proxy to the hub, http://HOST:PORT; hosts without it.
      HF_HUB_DISABLE_IMPLICIT_TOKEN, HF_HUB_DISABLE_SYMLINKS,
      HF_HUB_DISABLE_PROGRESS_BARS, HF_HUB_DOWNLOAD_TIMEOUT  As their tools do.
      NO_COLOR, TERM   No colour when NO_COLOR is set, or TERM is dumb.
      """,
    version: programVersion,
    subcommands: [
      List.self, Show.self, Diff.self, Check.self, ComponentsCommand.self, CheckComponent.self, Schema.self, New.self,
      Run.self, Chat.self, Embed.self, Classify.self, ProbeCommand.self, Tokenize.self, Logits.self, Verify.self,
      Save.self, ExportCommand.self, ImportCommand.self, Bench.self, Train.self, Eval.self, TokenizerCommand.self,
      DataCommand.self,
      Ablate.self, Serve.self, Pull.self, Push.self, CacheCommand.self, PluginCommand.self,
    ])
}

/// The version of this program.
let programVersion = "0.1.0"
