import Checkpoints
import Tokenization

extension VocabularyTable {
  /// The vocabulary in the metadata of `file`; nil when it holds none.
  public init?(_ file: GGUFFile) {
    guard let model = file["tokenizer.ggml.model"]?.string, let pieces = file.texts("tokenizer.ggml.tokens") else {
      return nil
    }
    self.init(path: file.file.path, model: model, pieces: pieces)
    preTokenizer = file["tokenizer.ggml.pre"]?.string
    scores = file["tokenizer.ggml.scores"]?.numbers?.map { Float($0) }
    kinds = file["tokenizer.ggml.token_type"]?.integers
    merges = file.texts("tokenizer.ggml.merges")
    beginningOfText = file["tokenizer.ggml.bos_token_id"]?.integer
    endOfText = ["eos", "eot", "eom"].compactMap { file["tokenizer.ggml.\($0)_token_id"]?.integer }
    unknown = file["tokenizer.ggml.unknown_token_id"]?.integer
    addsBeginning = file["tokenizer.ggml.add_bos_token"]?.bool
    addsEnd = file["tokenizer.ggml.add_eos_token"]?.bool
    addsSpacePrefix = file["tokenizer.ggml.add_space_prefix"]?.bool
    removesExtraSpaces = file["tokenizer.ggml.remove_extra_whitespaces"]?.bool
    characterMap = file["tokenizer.ggml.precompiled_charsmap"]?.integers?.map { UInt8(clamping: $0) }
  }
}
