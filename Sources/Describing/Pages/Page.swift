/// A document that needs nothing but itself: styles, drawings and, where there is one, its script are in it.
package struct Page {
  /// What the window is called.
  let title: String
  /// What the page is about, in a sentence.
  let summary: String
  /// What stands in it.
  let body: [Markup]
  /// What its style has beside that of every page.
  var style = ""
  /// A script that the page can do without.
  var script: String?

  /// After how many seconds a browser reads the file again; nil for never.
  var refreshSeconds: Int?

  /// A page of these parts.
  package init(
    title: String, summary: String, body: [Markup], style: String = "", script: String? = nil,
    refreshSeconds: Int? = nil
  ) {
    (self.title, self.summary, self.body, self.style, self.script) = (title, summary, body, style, script)
    self.refreshSeconds = refreshSeconds
  }

  /// The whole file.
  package var text: String {
    let head = Markup.element(
      "head",
      [
        .element("meta", ["charset": "utf-8"]),
        .element("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
        .element("meta", ["name": "color-scheme", "content": "light dark"]),
        .element("meta", ["name": "description", "content": summary]),
        refreshSeconds.map { .element("meta", ["http-equiv": "refresh", "content": String($0)]) } ?? .nothing,
        .element("title", Markup(title)),
        .raw("style", PageStyle.text + style),
      ])
    let scripts = script.map { [Markup.raw("script", $0)] } ?? []
    let html = Markup.element("html", ["lang": "en"], [head, .element("body", body + scripts)])
    return "<!DOCTYPE html>\n" + html.source + "\n"
  }
}
