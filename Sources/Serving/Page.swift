import Essentials
import Files

/// The page at `/`: one document that needs nothing else, and may run only the script that stands in it.
enum Page {
  static let bytes: [UInt8] = {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    var page = text(PackageResources.page_html)
    for (mark, part) in [
      ("/* drawing.css */\n", PackageResources.drawing_css), ("/* drawing.js */\n", PackageResources.drawing_js),
    ] {
      if let place = page.firstRange(of: mark) { page.replaceSubrange(place, with: text(part)) }
    }
    return Array(page.utf8)
  }()

  /// What a browser may do for it: run the page's own script and style, known by their hashes, and ask this server.
  static let policy: String = {
    let text = String(decoding: bytes, as: UTF8.self)
    return "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
      + "script-src '\(hash(of: "script", in: text))'; style-src '\(hash(of: "style", in: text))'"
  }()

  /// The hash of what stands in the element `name`, as a policy names it.
  private static func hash(of name: String, in text: String) -> String {
    guard let start = text.firstRange(of: "<\(name)>"), let end = text.firstRange(of: "</\(name)>") else {
      return "none"
    }
    var own = String(text[start.upperBound..<end.lowerBound])
    let digits = own.withUTF8 { Array(SHA256.hexadecimal(of: UnsafeRawBufferPointer($0)).utf8) }
    let bytes = stride(from: 0, to: digits.count - 1, by: 2).map { place in
      UInt8(String(decoding: digits[place..<place + 2], as: UTF8.self), radix: 16) ?? 0
    }
    return "sha256-" + Data(bytes).base64EncodedString()
  }
}
