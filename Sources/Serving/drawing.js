// The drawing of the model: what is under the cursor, or has the focus, is explained; in the layers that are drawn a part is a
// switch for the layer that is chosen, and so is a head. It presses the buttons of the parts, and shows what they say.
function drawModel(place, sections, box) {
  const about = box.parentNode.querySelector(".about");
  const button = (name) => box.querySelector(`button[value="${CSS.escape(name)}"]`);
  const view = document.createElement("div");
  view.className = "drawing"; view.setAttribute("role", "group"); view.setAttribute("aria-label", "Drawing of " + place.name);
  const redraws = [];
  for (const section of sections) {
    const svg = document.importNode(new DOMParser().parseFromString(section.svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '), "image/svg+xml").documentElement, true);
    if (svg.nodeName !== "svg") continue;
    svg.setAttribute("role", "group");
    svg.querySelectorAll("title, desc").forEach((words) => words.remove());
    let chosen = section.layers[0];
    const marks = [];
    const mark = (element, relative, words) => {
      element.setAttribute("tabindex", "0");
      const name = () => section.layers.length ? (relative ? `layers.${chosen}.${relative}` : `layers.${chosen}`) : relative;
      const press = () => { const own = button(name()); if (own) own.click(); };
      const explain = (event) => { event.stopPropagation(); const own = button(name()); about.textContent = name() + ": " + (words || (own && own.title) || ""); };
      ["mouseover", "focus"].forEach((kind) => element.addEventListener(kind, explain));
      element.addEventListener("click", (event) => { event.stopPropagation(); press(); explain(event); });
      element.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); press(); } });
      marks.push(() => {
        const own = button(name());
        element.setAttribute("role", own ? "button" : "img");
        element.setAttribute("aria-label", name() + (own ? "" : ": " + words));
        if (own) element.setAttribute("aria-pressed", own.getAttribute("aria-pressed")); else element.removeAttribute("aria-pressed");
      });
    };
    for (const group of svg.querySelectorAll("[class*='named-']")) {
      const relative = [...group.classList].find((one) => one.startsWith("named-")).slice(6);
      mark(group, relative, section.words[relative]);
      // The queries of a head are a switch of their own, where each has its cell.
      const cells = group.querySelector(".queries");
      const shapes = cells ? cells.getAttribute("d").split(/(?=M)/) : [];
      const heads = section.layers.length && box.querySelectorAll(`button.head[value^="${CSS.escape(`layers.${chosen}.${relative}.`)}"]`);
      if (!heads || !shapes.length || shapes.length !== heads.length) continue;
      shapes.forEach((shape, head) => {
        const cell = document.createElementNS("http://www.w3.org/2000/svg", "path");
        cell.setAttribute("d", shape); cell.setAttribute("class", "cell");
        cells.before(cell);
        mark(cell, `${relative}.head.${head}`, "");
      });
      cells.remove();
    }
    const redraw = () => marks.forEach((one) => one());
    redraws.push(redraw);
    if (section.layers.length) {
      const [row, label, select, whole] = ["div", "label", "select", "button"].map((kind) => document.createElement(kind));
      row.className = "which"; label.append("Layer ", select);
      section.layers.forEach((layer) => select.append(new Option(layer, layer)));
      whole.type = "button"; whole.textContent = "skip the layer";
      mark(whole, "", "");
      select.addEventListener("change", () => { chosen = Number(select.value); redraw(); });
      row.append(label, whole);
      view.append(row);
    }
    view.append(svg);
    redraw();
  }
  new MutationObserver(() => redraws.forEach((one) => one())).observe(box, { subtree: true, attributeFilter: ["aria-pressed"] });
  if (!view.childElementCount) return;
  const [details, summary] = ["details", "summary"].map((kind) => document.createElement(kind));
  summary.textContent = "All parts";
  box.before(view);
  box.before(details);
  details.append(summary, box);
  details.open = box.querySelectorAll("button").length <= 100;
  view.after(about);
}
