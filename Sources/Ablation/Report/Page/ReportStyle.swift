/// What a report's page has beside the style of every page.
enum ReportStyle {
  static let text = """
    :root { --base: #5b6574; --c0: #2f74d0; --c1: #d9691e; --c2: #2b9a57; --c3: #8a55cf; --c4: #0f9aa3; --c5: #cf3f86;
      --c6: #9c8712; --c7: #c63d36; --better: #dcf2df; --better-ink: #1c6b33; --worse: #fbdfdc; --worse-ink: #a02a22;
      --open: #eceff3; --open-ink: #4a5361; }
    @media (prefers-color-scheme: dark) { @media not print { :root { --base: #aab4c2; --c0: #6ea8f2; --c1: #f09a5c;
      --c2: #5fc785; --c3: #b692f0; --c4: #4cc6cd; --c5: #f07fb4; --c6: #d0bb45; --c7: #f0817a; --better: #17381f;
      --better-ink: #8fe0a5; --worse: #46201d; --worse-ink: #f5a8a1; --open: #262c35; --open-ink: #b6c0cd; } } }
    .arm.base { --arm: var(--base); } .arm.c0 { --arm: var(--c0); } .arm.c1 { --arm: var(--c1); } .arm.c2 { --arm: var(--c2); }
    .arm.c3 { --arm: var(--c3); } .arm.c4 { --arm: var(--c4); } .arm.c5 { --arm: var(--c5); } .arm.c6 { --arm: var(--c6); }
    .arm.c7 { --arm: var(--c7); }
    .headline { margin: 8px 0 18px; font-size: 17px; max-width: 75ch; overflow-wrap: anywhere; }
    .figures.four { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); }
    .figures.four b { font-size: 18px; overflow-wrap: anywhere; }
    .key { display: inline-block; width: 11px; height: 11px; border-radius: 3px; background: var(--arm); margin-right: 7px; }
    .verdicts { width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
    .verdicts th, .verdicts td { padding: 7px 13px 7px 0; white-space: nowrap; vertical-align: middle; border-top: 1px solid var(--rule); }
    .verdicts thead th { border-top: 0; padding-top: 0; }
    .verdicts tbody th { font-weight: 600; }
    .verdicts button { all: unset; cursor: pointer; color: var(--soft); font-size: 12.5px; }
    .verdicts button:hover, .verdicts button:focus-visible { color: var(--ink); text-decoration: underline; }
    .verdicts [aria-sort=ascending] button::after { content: " ↑"; } .verdicts [aria-sort=descending] button::after { content: " ↓"; }
    .verdict { display: inline-block; padding: 1px 10px; border-radius: 11px; font-size: 13px; font-weight: 600; }
    .is-better { background: var(--better); color: var(--better-ink); } .is-worse { background: var(--worse); color: var(--worse-ink); }
    .is-open { background: var(--open); color: var(--open-ink); font-weight: 500; } .is-base { color: var(--soft); padding-left: 0; font-weight: 400; }
    .is-diverged { background: var(--worse-ink); color: var(--paper); }
    .forest { vertical-align: middle; margin-right: 10px; } .forest .zero { stroke: var(--rule); stroke-width: 1.5; }
    .forest .span { stroke: var(--ink); stroke-width: 1.6; } .forest circle { fill: var(--ink); }
    .keys { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 14px; padding: 0; font-size: 14px; }
    .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 350px), 1fr)); gap: 26px 34px; align-items: start; }
    .chart { margin: 0; break-inside: avoid; max-width: 560px; } .chart svg { display: block; width: 100%; overflow: visible; }
    figcaption { font-weight: 600; font-size: 14px; margin-bottom: 6px; }
    .chart .grid { stroke: var(--rule); stroke-width: 1; } .chart .tick { font-size: 11px; fill: var(--soft); }
    .chart .axis { font-size: 11px; fill: var(--soft); } .chart .reference { stroke: var(--soft); stroke-dasharray: 3 4; }
    .chart .name { font-size: 11.5px; fill: var(--ink); } .chart .arm .name { fill: var(--arm); font-weight: 600; }
    .chart .dot { fill: var(--arm); stroke: var(--paper); stroke-width: 1; } .chart .interval { stroke: var(--arm); stroke-width: 1.6; opacity: .7; }
    .chart .mean { fill: none; stroke: var(--arm); stroke-width: 2; stroke-linejoin: round; }
    .chart .hover { fill: transparent; stroke: none; }
    .chart .seed { fill: none; stroke: var(--arm); stroke-width: 1; opacity: .35; } .chart .band { fill: var(--arm); opacity: .13; }
    .notes { margin: 0; padding-left: 18px; max-width: 85ch; } .notes li { margin-bottom: 5px; }
    .arm-cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); gap: 6px 18px; }
    .arm-card .yaml { margin-top: 4px; } .runs { font-variant-numeric: tabular-nums; }
    .runs th, .runs td { border-top: 1px solid var(--rule); } .runs thead th { border-top: 0; }
    .fixed { font: 12.5px/1.55 var(--mono); white-space: pre-wrap; } #results { max-height: 420px; }
    .off { color: var(--worse-ink); }
    @media (min-width: 1300px) { body { max-width: 1360px; } }
    @media screen and (max-width: 700px) {
      .verdicts thead { display: none; } .verdicts, .verdicts tbody { display: block; }
      .verdicts tr { display: grid; grid-template-columns: 1fr 1fr; gap: 3px 16px; padding: 9px 0; border-top: 1px solid var(--rule); }
      .verdicts tbody th, .verdicts tbody td { display: flex; justify-content: space-between; padding: 0; border: 0; text-align: right; }
      .verdicts tbody th { justify-content: flex-start; align-items: center; } .verdicts td:empty { display: none; }
      .verdicts td:nth-child(3) { grid-column: 1 / 3; }
      .verdicts td::before { color: var(--soft); } .verdicts td:nth-child(3)::before { content: "Δ nats, interval"; }
      .verdicts td:nth-child(4)::before { content: "Δ %"; } .verdicts td:nth-child(5)::before { content: "p (Holm)"; }
      .verdicts td:nth-child(6)::before { content: "loss"; } .verdicts td:nth-child(7)::before { content: "parameters"; }
      .verdicts td:nth-child(8)::before { content: "Δ params"; } .verdicts td:nth-child(9)::before { content: "FLOPs/token"; }
      .verdicts td:nth-child(10)::before { content: "memory"; } .verdicts td:nth-child(11)::before { content: "tokens/s"; }
      .verdicts td:nth-child(12)::before { content: "time"; } }
    @media print { .verdicts { font-size: 9px; } .verdict, .verdicts button { font-size: inherit; } .forest { width: 50px; margin-right: 4px; } .verdicts th, .verdicts td { padding-right: 6px; } .scroll { overflow: visible; }
      details { display: none; } .charts { grid-template-columns: 1fr 1fr; } }

    """

  /// Sorts the table of verdicts by the column whose head is pressed.
  static let script = """
    for (const button of document.querySelectorAll("#verdicts button")) button.addEventListener("click", () => {
      const head = button.parentElement, body = document.querySelector("#verdicts tbody");
      const column = [...head.parentElement.children].indexOf(head);
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = row => { const cell = row.children[column], value = cell.dataset.value;
        return value === undefined ? cell.textContent : value === "" ? Infinity : Number(value); };
      const order = (a, b) => typeof a === "number" ? a - b : String(a).localeCompare(String(b));
      for (const row of [...body.children].sort((a, b) => (down ? -1 : 1) * order(key(a), key(b)))) body.append(row);
    });

    """
}
