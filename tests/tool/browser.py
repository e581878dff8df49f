#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""browser.py PAGE [FOLDER]: opens a page of `labyrinth report` in chromium at three widths, and checks
that nothing has to be scrolled sideways, that no text is smaller than 9 pixels, and that text and
plots stand out from the ground, in the light and in the dark. Prints KTAP. Saves pictures in FOLDER.
Skips itself if there is no chromium."""

import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WIDTHS = (360, 800, 1600)
LEAST_TEXT = 9
# WCAG 2.2, level AA: text; and lines of plots.
CONTRAST = {"text": 4.5, "line": 3}
SECONDS = 120

# Runs in a page around that of the report, which has no script.
MEASURE = """
function luminance(colour) {
  const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(part => {
    part /= 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
}
function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
onload = () => {
  const page = document.querySelector('iframe').contentDocument;
  const style = element => page.defaultView.getComputedStyle(element);
  const ground = style(page.body).backgroundColor;
  const found = {wide: page.documentElement.scrollWidth, text: 99, contrast: {text: 99, line: 99},
    plots: page.querySelectorAll('svg[role=img]').length, outside: []};
  for (const element of page.querySelectorAll('h1,h2,td,th,li,p,span,figcaption,svg text')) {
    const box = element.getBoundingClientRect(), svg = element.closest('svg');
    if (!box.width || !element.textContent.trim()) continue;
    const zoom = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
    found.text = Math.min(found.text, parseFloat(style(element).fontSize) * zoom);
    const colour = svg ? style(element).fill : style(element).color;
    found.contrast.text = Math.min(found.contrast.text, contrast(colour, ground));
    if (!svg) continue;
    const frame = svg.getBoundingClientRect();
    if (box.left < frame.left - 1 || box.right > frame.right + 1 ||
        box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
      found.outside.push(element.textContent.trim());
  }
  for (const element of page.querySelectorAll('[class^=line]'))
    found.contrast.line = Math.min(found.contrast.line, contrast(style(element).stroke, ground));
  document.querySelector('pre').textContent = JSON.stringify(found);
};
"""


def chromium(program, dark, *arguments):
    """Runs chromium without a window, and returns what it prints."""
    dark_mode = ["--blink-settings=preferredColorScheme=0"] if dark else []
    with tempfile.TemporaryDirectory() as profile:
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   f"--user-data-dir={profile}", *dark_mode, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, timeout=SECONDS, check=True)
        return done.stdout


def measure(program, page, width, dark, pictures):
    """Returns what the page looks like at a width, and what is wrong with that."""
    around = (f"<!DOCTYPE html><meta charset=utf-8><style>body{{margin:0}}</style>"
              f"<iframe style='border:0;display:block' width={width} height=6000 "
              f"srcdoc=\"{html.escape(page)}\"></iframe><pre></pre><script>{MEASURE}</script>")
    with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as file:
        file.write(around)
        file.flush()
        dom = chromium(program, dark, "--dump-dom", f"file://{file.name}")
        if pictures:
            name = pictures / f"{width}-{'dark' if dark else 'light'}.png"
            chromium(program, dark, f"--window-size={max(width, 500)},3000",
                     f"--screenshot={name}", f"file://{file.name}")
    text = re.search(r"<pre>({.*?})</pre>", dom, re.DOTALL)
    if not text:
        return {}, ["the page could not be measured"]
    found = json.loads(html.unescape(text[1]))
    wrong = []
    if found["wide"] > width:
        wrong.append(f"it is {found['wide']} pixels wide")
    if found["text"] < LEAST_TEXT:
        wrong.append(f"a text is {found['text']:.1f} pixels high")
    if not found["plots"]:
        wrong.append("it has no plots")
    wrong += [f"the {what} has a contrast of {found['contrast'][what]:.1f}"
              for what, least in CONTRAST.items() if found["contrast"][what] < least]
    wrong += [f"'{text}' is cut off" for text in found["outside"]]
    return found, wrong


def main():
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    print("TAP version 13")
    if not program:
        print("1..0 # SKIP there is no chromium")
        return 0
    page = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    pictures = pathlib.Path(sys.argv[2]).absolute() if len(sys.argv) > 2 else None
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
    views = [(width, dark) for width in WIDTHS for dark in (False, True)]
    failed = False
    print(f"1..{len(views)}")
    for number, (width, dark) in enumerate(views, 1):
        found, wrong = measure(program, page, width, dark, pictures)
        print(f"# {found}")
        for what in wrong:
            print(f"# {what}")
        failed |= bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} {width}_{'dark' if dark else 'light'}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
