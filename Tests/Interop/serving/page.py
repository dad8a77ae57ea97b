"""The page at /, in a browser: it streams from two models side by side, by keyboard, on a phone, and runs nothing of others.

    python3 Tests/Interop/serving/page.py .build/release/chimera [CHROMIUM [FOLDER OF PICTURES]]

Needs playwright (tried with 1.65) and a Chromium.
"""

import sys

from playwright.sync_api import sync_playwright
from server import TOKEN, Server, check


def main(chimera, chromium):
    with Server(chimera, "story-llama", "story-gpt2") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for size in [(1200, 800), (360, 640)]:
            page = browser.new_page(viewport={"width": size[0], "height": size[1]}, has_touch=size[0] < 600)
            faults, asked = [], []
            page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("request", lambda request: asked.append(request.url))
            page.goto(f"{server.url}/#{TOKEN}")
            page.get_by_label("story-gpt2").wait_for()
            check(TOKEN not in page.url, "the token leaves the address")
            page.get_by_label("Text").fill("Once upon a time")
            page.get_by_label("Tokens").fill("12")
            page.get_by_label("Text").press("Control+Enter")
            page.get_by_text("done", exact=True).wait_for()
            for model in ["story-llama", "story-gpt2"]:
                article = page.get_by_role("article", name=model)
                check(article.locator("span").count() >= 12, f"{model} wrote its tokens")
                check("p = " in article.locator("span").first.get_attribute("title"), "each with its probability")
            page.get_by_role("button", name="Score the text").press("Enter")
            page.get_by_text("done", exact=True).wait_for()
            note = page.get_by_role("article", name="story-llama").locator(".note").inner_text()
            check(note.startswith("loss ") and "over 3 tokens" in note, f"the text is scored: {note}")
            page.get_by_role("button", name="Look inside").press("Enter")
            page.get_by_text("done", exact=True).wait_for()
            article = page.get_by_role("article", name="story-llama")
            check(article.get_by_role("group", name="Parts of story-llama").get_by_role("button").count() == 6 * 9,
                  "every layer, sublayer and head is a switch")
            parts = article.get_by_role("group", name="Parts of story-llama")
            first = parts.get_by_role("button", name="layers.0", exact=True)
            first.focus()
            page.keyboard.press("ArrowUp")
            page.keyboard.press("ArrowRight")
            about = article.locator(".about").inner_text()
            check(about.startswith("layers.1.attn: ") and "attention" in about, f"a part is explained: {about}")
            page.keyboard.press("Enter")
            article.get_by_text("with 1 part off").wait_for()
            pressed = parts.get_by_role("button", name="layers.1.attn", exact=True)
            check(pressed.get_attribute("aria-pressed") == "true", "the switch says that it is off")
            check("before" in article.locator(".text span").nth(1).get_attribute("title"), "tokens tell both probabilities")
            if size[0] > 600:
                parts.get_by_role("button", name="layers.3.attn.head.2").hover()
            else:
                parts.get_by_role("button", name="layers.3.attn.head.2").tap()
                article.get_by_text("with 2 parts off").wait_for()
            check("layers.3.attn.head.2: a head of" in article.locator(".about").inner_text(), "so is one under the cursor")
            pressed.click()
            drawing = article.get_by_role("group", name="Drawing of story-llama")
            check(drawing.locator("svg").count() >= 3, "the model is drawn, from its embedding to its head")
            norm = drawing.get_by_role("img", name="layers.0.attn_norm")
            norm.hover() if size[0] > 600 else norm.tap()
            check("layers.0.attn_norm: " in article.locator(".about").inner_text(), "what is under the cursor is explained")
            drawing.get_by_role("combobox").select_option("4")
            drawn = drawing.get_by_role("button", name="layers.4.mlp", exact=True)
            drawn.focus()
            about = article.locator(".about").inner_text()
            check(about.startswith("layers.4.mlp: ") and "gate" in about, f"so is what has the focus: {about}")
            page.keyboard.press("Enter")
            listed = parts.get_by_role("button", name="layers.4.mlp", exact=True)
            check(listed.get_attribute("aria-pressed") == "true" == drawn.get_attribute("aria-pressed"),
                  "a box of the drawing is a switch, by keyboard, too")
            head = drawing.get_by_role("button", name="layers.4.attn.head.5", exact=True)
            head.click() if size[0] > 600 else head.tap()
            listed = parts.get_by_role("button", name="layers.4.attn.head.5", exact=True)
            check(listed.get_attribute("aria-pressed") == "true", "and so is a head in it")
            listed.click()
            check(head.get_attribute("aria-pressed") == "false", "the drawing shows what the list switches")
            drawn.click() if size[0] > 600 else drawn.tap()
            article.get_by_label("Attention of").select_option("layers.0.attn.head.1")
            article.locator("table.attention tr").nth(3).wait_for()
            cells = article.locator("table.attention tr").nth(3).locator("td")
            check(cells.count() == 4 and "→" in cells.first.get_attribute("title"), "a head's attention is drawn")
            if len(sys.argv) > 3:
                page.screenshot(path=f"{sys.argv[3]}/page-{size[0]}.png", full_page=True)
            wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            check(not wide, f"nothing is cut off at {size[0]} pixels")
            check(all(url.startswith(server.url) for url in asked), "nothing else is asked")
            check(faults == [], f"the browser has nothing to say: {faults}")
            page.close()
        page = browser.new_page()
        page.goto(server.url)
        page.get_by_label("Token", exact=True).fill(TOKEN)
        page.get_by_label("Token", exact=True).press("Tab")
        page.get_by_label("story-gpt2").wait_for()
        check(True, "without a token it asks for one")
        browser.close()


main(sys.argv[1], (sys.argv[2:] + ["/usr/bin/chromium"])[0])
