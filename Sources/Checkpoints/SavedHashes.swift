import Files

/// What was noted of a file when it was saved: its SHA-256, its size, and the SHA-256 of a sample of it, which tells in
/// milliseconds whether the file is likely to be the same.
///
///     "sha256": {NAME: …}, "bytes": {NAME: …}, "sample_sha256": {NAME: …}
///
/// The sample is the whole of a file of up to 1 MiB, else its first 64 KiB, its last 4 KiB, and 64 parts of 4 KiB evenly
/// between them.
public struct SavedHashes: Sendable {
  /// The file's name in a folder that says what was saved in it.
  public static let manifest = "checkpoint.json"

  private static let wholeBytes = 1 << 20
  private static let headBytes = 1 << 16
  private static let partBytes = 1 << 12
  private static let parts = 64

  /// The names with the hashes of their files, in the order they were saved.
  public let names: [String]
  private let folder: String
  private let json: JSONValue

  /// What was saved in `folder`; nil when nothing there says so. Throws when what says so cannot be read.
  public init?(in folder: String) throws(FileProblem) {
    let path = folder + "/" + Self.manifest
    guard kind(ofPath: path) == .file else { return nil }
    json = try JSONValue(contentsOf: path, limit: 1 << 20)
    guard let hashes = json["sha256"]?.object else { throw FileProblem(path: path, sentence: "it has no hashes") }
    names = hashes.keys
    self.folder = folder
  }

  /// The members of a manifest for the files `names` in `folder`.
  public static func members(_ names: [String], in folder: String) throws(FileProblem) -> [(String, JSONValue)] {
    var (hashes, sizes, samples) = (JSONObject(), JSONObject(), JSONObject())
    for name in names {
      let path = folder + "/" + name
      hashes[name] = .string(try SHA256.hexadecimal(ofFile: path))
      let (bytes, sample) = try sample(ofFile: path)
      sizes[name] = .integer(bytes)
      samples[name] = .string(sample)
    }
    return [("sha256", .object(hashes)), ("bytes", .object(sizes)), ("sample_sha256", .object(samples))]
  }

  /// Throws when the file `name` is not the one that was saved, as far as its size and a sample tell.
  public func sample(_ name: String) throws(FileProblem) {
    let path = folder + "/" + name
    let (bytes, sample) = try Self.sample(ofFile: path)
    if let wanted = json["bytes"]?[name]?.integer, wanted != bytes {
      throw FileProblem(path: path, sentence: "it has \(bytes) bytes, and \(wanted) were saved")
    }
    let wanted = json["sample_sha256"]?[name]?.string
    // Those saved by older versions have no sample; small ones are looked at whole.
    let whole = bytes <= Self.wholeBytes ? json["sha256"]?[name]?.string : nil
    guard wanted ?? whole ?? sample == sample else {
      throw FileProblem(path: path, sentence: "the SHA-256 of a sample is not the one that was saved")
    }
  }

  /// Throws when the file `name` is not, byte for byte, the one that was saved.
  public func check(_ name: String) throws(FileProblem) {
    let path = folder + "/" + name
    guard json["sha256"]?[name]?.string == (try SHA256.hexadecimal(ofFile: path)) else {
      throw FileProblem(path: path, sentence: "its SHA-256 is not the one that was saved")
    }
  }

  private static func sample(ofFile path: String) throws(FileProblem) -> (bytes: Int, hash: String) {
    let file = try MappedFile(path: path)
    return withExtendedLifetime(file) {
      let bytes = file.bytes
      var hash = SHA256()
      func take(_ range: Range<Int>) { hash.update(UnsafeRawBufferPointer(rebasing: bytes[range])) }
      if bytes.count <= wholeBytes {
        take(0..<bytes.count)
      } else {
        take(0..<headBytes)
        let room = bytes.count - headBytes - partBytes
        for part in 0...parts {
          let start = headBytes + Int(Double(room) * Double(part) / Double(parts))
          take(start..<start + partBytes)
        }
      }
      return (bytes.count, hash.hexadecimal())
    }
  }
}
