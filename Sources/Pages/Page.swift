/// A document that needs nothing but itself: styles, drawings and, where there is one, its script are in it.
struct Page {
  /// What the window is called.
  let title: String
  /// What the page is about, in a sentence.
  let summary: String
  /// What stands in it.
  let body: [Markup]
  /// A script that the page can do without.
  var script: String?

  /// The whole file.
  var text: String {
    let head = Markup.element(
      "head",
      [
        .element("meta", ["charset": "utf-8"]),
        .element("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
        .element("meta", ["name": "color-scheme", "content": "light dark"]),
        .element("meta", ["name": "description", "content": summary]),
        .element("title", Markup(title)),
        .raw("style", PageStyle.text),
      ])
    let scripts = script.map { [Markup.raw("script", $0)] } ?? []
    let html = Markup.element("html", ["lang": "en"], [head, .element("body", body + scripts)])
    return "<!DOCTYPE html>\n" + html.source + "\n"
  }
}
