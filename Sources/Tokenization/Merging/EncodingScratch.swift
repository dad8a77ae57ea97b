/// What encoding works in: the ids so far, remembered words, and room for the symbols of one word.
///
/// Kept by the tokenizer between texts. Sendable although it is mutable: whoever takes it out of the tokenizer's pool,
/// under the pool's lock, is the only one to hold it until it is put back.
final class EncodingScratch: @unchecked Sendable {
  var output = IDBuffer()
  var cache = WordCache()
  /// The symbols of a short word: their ids, their places in the word and the merge with the next one.
  let ids: UnsafeMutablePointer<Int32>  // [shortWord]
  let starts: UnsafeMutablePointer<Int32>  // [shortWord + 1]
  let merges: UnsafeMutablePointer<UInt64>  // [shortWord]
  /// A splitter's state.
  let cursorState: UnsafeMutablePointer<Int>
  /// Called with each word that would be merged, which then is not.
  var words: ((UnsafePointer<UInt8>, Int) -> Void)?

  /// Up to so many symbols a word is merged by looking at all its pairs each time, which is quicker than keeping a
  /// queue.
  static let shortWord = 48

  init(cursorStateCount: Int) {
    ids = .allocate(capacity: Self.shortWord)
    starts = .allocate(capacity: Self.shortWord + 1)
    merges = .allocate(capacity: Self.shortWord)
    cursorState = .allocate(capacity: cursorStateCount)
  }

  deinit {
    output.deallocate()
    cache.deallocate()
    ids.deallocate()
    starts.deallocate()
    merges.deallocate()
    cursorState.deallocate()
  }
}
