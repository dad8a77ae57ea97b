/// The style sheet of every page: light and dark, narrow and wide, on paper.
enum PageStyle {
  static let text = """
    :root {
      color-scheme: light dark;
      --paper: #ffffff; --card: #f7f8fa; --ink: #1d2430; --soft: #5b6574; --rule: #dde1e7; --link: #1f5fbf;
      --line: #4a5361; --frame: #f2f4f7; --frame-edge: #c9cfd8; --mark: #d3216b;
      --embedding: #dcebfb; --embedding-edge: #4a8fd6; --norm: #fff1c9; --norm-edge: #c79a1a;
      --position: #d2f0ee; --position-edge: #1d969a; --mixer: #fde2d3; --mixer-edge: #df7336;
      --feed: #dcf2df; --feed-edge: #449c58; --further: #e9e0fb; --further-edge: #8559cf;
      --head: #fbdcea; --head-edge: #cc4f8c; --plain: #eceff3; --plain-edge: #8b95a3;
      --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
      --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
    }
    @media (prefers-color-scheme: dark) { @media not print { :root {
      --paper: #12151a; --card: #1a1e25; --ink: #e7eaef; --soft: #9aa5b4; --rule: #2e3540; --link: #86b4f5;
      --line: #aab4c2; --frame: #191d24; --frame-edge: #3a4350; --mark: #ff6fa8;
      --embedding: #17314d; --embedding-edge: #5d9fe3; --norm: #3d3314; --norm-edge: #d1a93c;
      --position: #10393a; --position-edge: #3cb3b3; --mixer: #452616; --mixer-edge: #e8874f;
      --feed: #17381f; --feed-edge: #5bb56f; --further: #2f2250; --further-edge: #a483e6;
      --head: #451b31; --head-edge: #e0709f; --plain: #262c35; --plain-edge: #76818f;
    } } }
    * { box-sizing: border-box; }
    body { margin: 0 auto; padding: 28px 24px 40px; max-width: 1240px; background: var(--paper); color: var(--ink);
      font: 15px/1.5 var(--sans); -webkit-text-size-adjust: 100%; }
    h1 { margin: 0; font-size: 30px; line-height: 1.2; letter-spacing: -0.01em; }
    h2 { margin: 0 0 10px; font-size: 17px; }
    h3 { margin: 0 0 4px; font-size: 14px; }
    a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 2px; overflow-wrap: anywhere; }
    a:focus-visible, summary:focus-visible, input:focus-visible, select:focus-visible, pre:focus-visible,
    .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
    .subtitle { margin: 4px 0 0; color: var(--soft); }
    .note, footer { color: var(--soft); font-size: 13px; }
    .note { margin: 8px 0 0; }
    header { margin-bottom: 24px; }
    footer { margin-top: 28px; border-top: 1px solid var(--rule); padding-top: 4px; }
    section { margin: 0 0 28px; min-width: 0; }
    small { color: var(--soft); font-size: 12.5px; }

    .model { display: grid; grid-template-columns: minmax(340px, 420px) minmax(0, 1fr); gap: 0 48px; align-items: start; }
    .column { max-width: 420px; margin: 0 auto; }
    .column svg { display: block; width: 100%; overflow: visible; }
    svg text { fill: var(--ink); font: 12px var(--sans); }
    svg .title { font-weight: 650; font-size: 13px; }
    svg .call { font-weight: 500; }
    svg .detail { font: 11px var(--mono); fill: var(--soft); }
    svg .name, svg .count { font-size: 11px; fill: var(--soft); }
    svg .count { font: 11px var(--mono); }
    svg .times { font-weight: 650; font-size: 14px; }
    svg .end { font-weight: 600; font-size: 13px; fill: var(--soft); }
    svg .centered { text-anchor: middle; }
    svg .ending { text-anchor: end; }
    svg .small { font-size: 10.5px; }
    svg .title.small { font-size: 11.5px; }
    svg .tag { font: 9.5px var(--mono); fill: var(--soft); }
    .line { fill: none; stroke: var(--line); stroke-width: 1.5; }
    .residual { stroke-width: 3; }
    .dashed { stroke-dasharray: 3 5; }
    .arrow { fill: var(--line); }
    .frame { fill: var(--frame); stroke: var(--frame-edge); }
    .sum circle { fill: var(--paper); stroke: var(--line); stroke-width: 1.6; }
    .sum > path { fill: none; stroke: var(--line); stroke-width: 1.6; }
    .shape { fill: var(--fill); stroke: var(--edge); stroke-width: 1.2; }
    .inside > .shape { fill: var(--paper); }
    .queries { fill: var(--edge); opacity: 0.75; }
    .keys { fill: var(--edge); }
    .mask .seen { fill: var(--edge); opacity: 0.55; }
    .mask .frame { fill: none; stroke: var(--edge); stroke-width: 1; }
    .ring { fill: none; stroke: var(--mark); stroke-width: 2; stroke-dasharray: 6 3; }
    .sum.differs circle { stroke: var(--mark); stroke-width: 2.4; }
    .accent { fill: var(--edge); }
    .part-embedding { --fill: var(--embedding); --edge: var(--embedding-edge); }
    .part-norm { --fill: var(--norm); --edge: var(--norm-edge); }
    .part-position { --fill: var(--position); --edge: var(--position-edge); }
    .part-mixer { --fill: var(--mixer); --edge: var(--mixer-edge); }
    .part-feed-forward { --fill: var(--feed); --edge: var(--feed-edge); }
    .part-further { --fill: var(--further); --edge: var(--further-edge); }
    .part-head { --fill: var(--head); --edge: var(--head-edge); }
    .part-plain { --fill: var(--plain); --edge: var(--plain-edge); }

    dl { margin: 0; }
    dd { margin: 0; }
    .figures { display: grid; grid-template-columns: repeat(3, 1fr); gap: 10px; margin-bottom: 16px; }
    .figures > div { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 8px 12px; }
    .figures dt { color: var(--soft); font-size: 12.5px; }
    .figures b { display: block; font-size: 20px; line-height: 1.25; font-variant-numeric: tabular-nums; }
    .figures small { display: block; font-variant-numeric: tabular-nums; }
    .facts > div { display: grid; grid-template-columns: 92px minmax(0, 1fr); gap: 12px; padding: 3px 0; }
    .facts dt { color: var(--soft); overflow-wrap: anywhere; }
    .facts dd { overflow-wrap: anywhere; }

    .strip { display: flex; flex-wrap: wrap; gap: 8px 10px; }
    .strip ol { list-style: none; display: flex; gap: 2px; margin: 0; padding: 0; }
    .strip li { width: 22px; text-align: center; }
    .strip b { display: block; font: 600 11px/16px var(--mono); }
    .strip i { display: block; height: 13px; background: var(--shade); border: 1px solid var(--edge); }
    .strip i + i { border-top: 0; }
    .strip.same { gap: 4px 7px; }
    .strip.same li { width: 11px; }
    .shade0 { --shade: var(--fill); }
    .shade1 { --shade: var(--edge); }
    .shade2 { --shade: repeating-linear-gradient(135deg, var(--edge) 0 3px, var(--fill) 3px 6px); }
    .shade3 { --shade: repeating-linear-gradient(90deg, var(--edge) 0 2px, var(--fill) 2px 6px); }
    .legend { margin-top: 12px; }
    .legend th { font: 600 13px var(--mono); }
    .legend td { vertical-align: top; }

    .treemap { display: block; margin-bottom: 14px; border-radius: 6px; }
    .treemap .shape { stroke: var(--paper); stroke-width: 2; fill: var(--fill); }
    .scroll { overflow-x: auto; margin-bottom: 12px; }
    table { border-collapse: collapse; font-size: 14px; }
    th, td { padding: 3px 14px 3px 0; text-align: left; font-weight: 400; vertical-align: top; }
    thead th { color: var(--soft); font-size: 12.5px; white-space: nowrap; }
    .costs { width: 100%; }
    .costs tbody th { white-space: nowrap; }
    .costs th:not(:first-child), .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
    .costs td:last-child, .costs th:last-child { padding-right: 0; }
    .costs tbody th, .costs tbody td { border-top: 1px solid var(--rule); }
    .total th, .total td { font-weight: 650; }
    .swatch { display: inline-block; width: 11px; height: 11px; margin-right: 7px; border-radius: 3px;
      background: var(--fill); border: 1px solid var(--edge); vertical-align: -1px; }

    .story > div { display: grid; grid-template-columns: 110px minmax(0, 1fr); gap: 12px; padding: 6px 0 6px 12px;
      border-left: 4px solid var(--edge); margin-bottom: 6px; }
    .story dt { color: var(--soft); }
    .story dd { display: flex; flex-wrap: wrap; gap: 4px 8px; }
    .story dd span { padding: 1px 9px; background: var(--fill); border: 1px solid var(--edge); border-radius: 11px;
      font-size: 13.5px; overflow-wrap: anywhere; }
    .pair { display: grid; gap: 0 20px; max-width: 960px; }
    .pair svg { display: block; width: 100%; overflow: visible; }
    .pair h3 { margin: 0 0 8px; overflow-wrap: anywhere; }
    .narrow-only { display: none; }
    .differences { width: 100%; max-width: 820px; }
    .differences th, .differences td { border-top: 1px solid var(--rule); overflow-wrap: anywhere; }
    .differences thead th { border: 0; white-space: normal; font-weight: 650; color: var(--ink); font-size: 14px; }
    .differences tbody th { padding-left: 14px; color: var(--soft); }
    .differences .group th { padding-left: 0; font-weight: 650; color: var(--ink); }

    .parts { columns: 270px; column-gap: 12px; }
    .part { margin: 0 0 12px; break-inside: avoid; padding: 8px 14px 10px; background: var(--card); border: 1px solid var(--rule);
      border-left: 4px solid var(--edge); border-radius: 8px; }
    .part .facts { font-size: 13.5px; }
    .part .facts { display: grid; grid-template-columns: fit-content(62%) minmax(5em, 1fr); gap: 2px 12px; }
    .part .facts > div { display: contents; }
    .part .facts dt { overflow-wrap: normal; }
    .yaml { margin: 0 0 12px; padding: 12px 14px; overflow-x: auto; background: var(--card); border: 1px solid var(--rule);
      border-radius: 8px; font: 13px/1.5 var(--mono); }
    .yaml .k { color: var(--link); }
    .yaml .n { color: var(--feed-edge); }
    .yaml .w { color: var(--mixer-edge); }
    .yaml .c { color: var(--soft); }
    summary { cursor: pointer; margin-bottom: 10px; color: var(--soft); }

    form { display: flex; flex-wrap: wrap; gap: 8px 18px; align-items: center; margin-top: 16px; }
    [hidden] { display: none !important; }
    input, select { font: inherit; padding: 5px 9px; color: inherit; background: var(--card); border: 1px solid var(--rule);
      border-radius: 6px; max-width: 100%; }
    output { color: var(--soft); }
    .gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(214px, 1fr)); gap: 16px; }
    .gallery article { display: flex; flex-direction: column; padding: 12px 14px; background: var(--card); min-width: 0;
      border: 1px solid var(--rule); border-radius: 10px; break-inside: avoid; }
    .gallery h2 { display: flex; justify-content: space-between; gap: 8px; align-items: baseline; margin: 0; font-size: 15px;
      overflow-wrap: anywhere; }
    .gallery h2 small { font: 12px var(--mono); white-space: nowrap; }
    .gallery .subtitle { font-size: 12px; margin: 2px 0 8px; overflow-wrap: anywhere; }
    .gallery svg { display: block; width: 100%; max-width: 206px; margin: 0 auto; }
    .gallery ul { list-style: none; margin: 10px 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 4px; }
    .gallery li { font-size: 11.5px; padding: 0 7px; border: 1px solid var(--rule); border-radius: 9px; color: var(--soft);
      overflow-wrap: anywhere; }
    .component { margin: 0 0 18px; padding: 12px 18px 10px; background: var(--card); border: 1px solid var(--rule);
      border-left: 4px solid var(--edge); border-radius: 8px; scroll-margin-top: 12px; }
    .component h3 { font: 650 16px var(--mono); }
    .component p { margin: 8px 0; max-width: 80ch; overflow-wrap: anywhere; }
    .component code { font: 13px var(--mono); }
    .component details p { font-size: 13.5px; max-width: none; }
    .equation { margin: 10px 0; padding: 8px 12px; overflow-x: auto; background: var(--paper); border: 1px solid var(--rule);
      border-radius: 6px; font: 13.5px/1.5 var(--mono); }
    .options th, .options td { border-top: 1px solid var(--rule); }
    .options thead th { border-top: 0; }
    .options tbody th { white-space: nowrap; }
    nav { margin-top: 14px; }

    @media (max-width: 860px) {
      .gallery { grid-template-columns: repeat(auto-fill, minmax(166px, 1fr)); gap: 10px; }
      .gallery article { padding: 10px; }
      body { padding: 18px 14px 28px; }
      h1 { font-size: 25px; }
      .model { display: block; }
      .column { max-width: var(--width); }
      .broad { display: none; }
      .wide-only { display: none; }
      .narrow-only { display: block; }
      .pair { gap: 0 4px; }
      .story > div { grid-template-columns: 1fr; gap: 2px; }
      .figures { grid-template-columns: repeat(2, 1fr); }
      table { font-size: 13px; }
      th, td { padding-right: 9px; }
      thead th { white-space: normal; vertical-align: bottom; font-size: 12px; }
      .share { display: none; }
      .options tbody th { white-space: normal; }
      .costs thead th:not(:first-child) { white-space: normal; }
      .equation { white-space: pre-wrap; overflow-wrap: anywhere; }
    }
    @media (max-width: 520px) {
      .costs { font-size: 12.5px; }
      .costs th, .costs td { padding-right: 6px; }
      .swatch { margin-right: 4px; }
      .component { padding: 10px 12px 8px; }
      .options thead { display: none; }
      .options, .options tbody { display: block; }
      .options tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 12px; padding: 6px 0;
        border-top: 1px solid var(--rule); }
      .options th, .options td { border: 0; padding: 0; overflow-wrap: anywhere; }
      .options td:nth-child(2) { color: var(--soft); text-align: right; }
      .options td:nth-child(3) { order: 1; grid-column: 1 / -1; color: var(--soft); }
      .options td:nth-child(3)::before { content: "default: "; }
      .options td:nth-child(4) { grid-column: 1 / -1; }
    }
    @page { margin: 13mm 12mm; }
    @media print {
      body { max-width: none; padding: 0; font-size: 12px; }
      .model { display: block; }
      .drawing { float: left; width: 310px; margin-right: 22px; }
      .column { max-width: 310px; margin: 0; }
      .side > section { overflow: hidden; }
      .details { clear: both; }
      .wide-only { display: block; }
      .narrow-only { display: none; }
      .side .figures { grid-template-columns: repeat(2, 1fr); gap: 6px; }
      svg, .part, .figures > div, .story > div, tr, .component { break-inside: avoid; }
      section, header { margin-bottom: 16px; }
      h2, h3, thead { break-after: avoid; }
      .parts { columns: 260px; }
      table, .part .facts { font-size: 11px; }
      th, td { padding-right: 8px; }
      .costs thead th:not(:first-child) { white-space: normal; }
      .scroll { overflow: visible; }
      .pair { min-width: 0 !important; max-width: none; gap: 0 12px; }
      .gallery { display: block; columns: 4; column-gap: 10px; }
      .gallery article { margin-bottom: 10px; }
      form, summary { display: none !important; }
      a { color: inherit; }
      * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
      .yaml { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 10.5px; }
      .equation { white-space: pre-wrap; overflow-wrap: anywhere; }
    }

    """
}
