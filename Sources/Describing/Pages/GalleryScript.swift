import Components
import Files
import Specification

/// The script of a gallery, with what its models are set to.
///
/// A page is read as XML too, so the script has neither `<` nor `&`.
struct GalleryScript {
  private let entries: [GalleryPage.Entry]

  init(_ entries: [GalleryPage.Entry]) { self.entries = entries }

  var text: String {
    var models = JSONObject()
    for entry in entries {
      var settings = JSONObject()
      Self.flatten(entry.architecture.resolved, "", into: &settings)
      models[entry.architecture.name] = .object(settings)
    }
    let json = JSONValue.object(models).serialized()
      .replacing("&", with: "\\u0026").replacing("<", with: "\\u003c")
    return "const models = \(json);\n" + Self.code
  }

  /// Keys that say nothing of what is computed.
  private static let others: Set<String> = [
    "name", "facts", "expected_params", "tokenizer", "chat", "checkpoint", "config", "gguf",
  ]

  private static func flatten(_ setting: Setting, _ path: String, into result: inout JSONObject) {
    guard let entries = setting.entries else {
      result[path] = .string(setting.inWords)
      return
    }
    for entry in entries where !(path.isEmpty && others.contains(entry.key)) {
      // A component that is set to nothing is named alone.
      let isNamed = Slot(rawValue: entry.key) != nil && entry.value.text != nil
      let own = path.isEmpty ? entry.key : "\(path).\(entry.key)"
      flatten(entry.value, isNamed ? own + ".type" : own, into: &result)
    }
  }

  private static let code = """
    const form = document.querySelector("form"), main = document.querySelector("main");
    const cards = [...document.querySelectorAll("article")], section = document.querySelector("#difference");
    const items = card => [...card.querySelectorAll("ol li")];
    const passes = item => {
      const words = form.words.value.toLowerCase().split(" "), most = Number(form.size.value) || Infinity;
      const [part, family] = [form.part.value.trim(), form.family.value.trim()];
      return [
        words.every(word => item.dataset.text.includes(word)), most >= Number(item.dataset.size),
        [item.closest("article").dataset.family, ""].includes(family),
        part === "" || item.dataset.parts.includes(`|${part}|`)].every(Boolean);
    };
    const left = card => items(card).filter(item => !item.hidden);
    const most = (card, key) => Math.max(0, ...left(card).map(item => Number(item.dataset[key])));
    const least = (card, key) => Math.min(Infinity, ...left(card).map(item => Number(item.dataset[key]) || Infinity));
    const orders = {
      newest: (a, b) => most(b, "year") - most(a, "year"), oldest: (a, b) => least(a, "year") - least(b, "year"),
      largest: (a, b) => most(b, "size") - most(a, "size"), smallest: (a, b) => least(a, "size") - least(b, "size"),
    };
    const show = () => {
      let count = 0;
      cards.forEach(card => {
        items(card).forEach(item => item.hidden = !passes(item));
        card.hidden = left(card).length === 0;
        count += left(card).length;
      });
      const byName = (a, b) => a.dataset.family.localeCompare(b.dataset.family);
      const order = orders[form.order.value] || byName;
      main.append(...cards.sort((a, b) => order(a, b) || byName(a, b)));
      form.querySelector("output").textContent = `${count} models`;
    };
    const chosen = [];
    const row = (kind, words) => {
      const line = document.createElement("tr");
      line.append(...words.map(word => Object.assign(document.createElement(kind), {textContent: word})));
      return line;
    };
    const compare = () => {
      section.hidden = chosen.length !== 2;
      if (section.hidden) return;
      const names = chosen.map(box => box.value), [a, b] = names.map(name => models[name]);
      const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(key => a[key] !== b[key]);
      section.querySelector("h2").textContent = `${names[0]} and ${names[1]}: ${keys.length} settings differ`;
      section.querySelector("code").textContent = `chimera diff ${names[0]} ${names[1]} --html difference.html`;
      section.querySelector("thead").replaceChildren(row("th", ["", ...names]));
      section.querySelector("tbody").replaceChildren(...keys.map(key => row("td", [key, a[key] ?? "–", b[key] ?? "–"])));
    };
    document.querySelectorAll("ol input").forEach(box => {
      box.hidden = false;
      box.addEventListener("change", () => {
        if (box.checked) chosen.push(box);
        else chosen.splice(chosen.indexOf(box), 1);
        if (chosen.length > 2) chosen.shift().checked = false;
        compare();
      });
    });
    form.hidden = false;
    form.addEventListener("input", show);
    form.addEventListener("submit", event => event.preventDefault());
    show();

    """
}
