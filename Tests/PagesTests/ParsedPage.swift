import Foundation

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// A page as a strict parser of XML reads it.
final class ParsedPage: NSObject, XMLParserDelegate {
  /// A text of a drawing that has a size of its own.
  struct DrawnText {
    let words: String
    let x: Double
    let y: Double
    let styles: [String]
    /// The drawing's width and height.
    let canvas: (width: Double, height: Double)
  }

  private(set) var elements: [(name: String, attributes: [String: String])] = []
  private(set) var texts: [DrawnText] = []
  private(set) var drawingsWithoutTitle = 0
  private(set) var words = ""
  private var canvases: [(width: Double, height: Double)?] = []
  private var open: (attributes: [String: String], words: String)?
  private var awaitsTitle = false

  /// The page of `text`; nil when it is not well-formed.
  init?(_ text: String) {
    super.init()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = self
    guard parser.parse() else { return nil }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    if awaitsTitle, name != "title" { drawingsWithoutTitle += 1 }
    awaitsTitle = name == "svg"
    elements.append((name, attributes))
    if name == "svg" {
      let box = attributes["viewBox"]?.split(separator: " ").compactMap { Double($0) }
      canvases.append(box.map { ($0[2], $0[3]) })
    }
    if name == "text" { open = (attributes, "") }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    words += string
    open?.words += string
  }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    if name == "svg" { canvases.removeLast() }
    guard name == "text", let (attributes, words) = open else { return }
    open = nil
    guard let canvas = canvases.last ?? nil, let x = Double(attributes["x"] ?? ""),
      let y = Double(attributes["y"] ?? "")
    else { return }
    let styles = (attributes["class"] ?? "").split(separator: " ").map(String.init)
    texts.append(DrawnText(words: words, x: x, y: y, styles: styles, canvas: canvas))
  }
}
