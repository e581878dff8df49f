#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""browser.py CHROMIUM PAGE…: opens pages of `labyrinth report` at three widths, with light and dark
colours, and prints them to PDF. Checks that no page must be scrolled sideways, that no text is
smaller than 9 pixels, and that text and plots have enough contrast. Prints KTAP. Screenshots and
PDF files go to the current folder, where the pages are."""

import html
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

WIDTHS = (360, 800, 1600)
# A sheet of A4 without its margins, in pixels of CSS.
PAPER = 718
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
    with tempfile.TemporaryDirectory(dir=".") as profile:
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   f"--user-data-dir={os.path.abspath(profile)}", *dark_mode, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=SECONDS, check=False)
        if done.returncode:
            raise OSError(f"chromium ended with {done.returncode}: {done.stderr.decode()[-500:]}")
        return done.stdout.decode()


def on_paper(page):
    """The page with the print style on the screen, because a printed page cannot be measured."""
    return page.replace("@media print", "@media all").replace("@media screen", "@media not all")


def measure(program, page, width, dark, name):
    """Returns measurements of a page at a width, and saves a screenshot."""
    around = (f"<!DOCTYPE html><meta charset=utf-8><style>body{{margin:0}}</style>"
              f"<iframe style='border:0;display:block' width={width} height=6000 "
              f"srcdoc=\"{html.escape(page)}\"></iframe><pre></pre><script>{MEASURE}</script>")
    file = pathlib.Path(f"{name}-measured.html").absolute()
    file.write_text(around, encoding="utf-8")
    dom = chromium(program, dark, "--dump-dom", file.as_uri())
    chromium(program, dark, f"--window-size={max(width, 500)},3000", f"--screenshot={name}.png",
             file.as_uri())
    text = re.search(r"<pre>({.*?})</pre>", dom, re.DOTALL)
    assert text, "the page could not be measured"
    return json.loads(html.unescape(text[1]))


def problems(found, width):
    """Returns the problems of a page with these measurements."""
    if found["wide"] > width:
        yield f"it is {found['wide']} pixels wide"
    if found["text"] < LEAST_TEXT:
        yield f"a text is {found['text']:.1f} pixels high"
    if not found["plots"]:
        yield "it has no plots"
    for what, least in CONTRAST.items():
        if found["contrast"][what] < least:
            yield f"the {what} has a contrast of {found['contrast'][what]:.1f}"
    for text in found["outside"]:
        yield f"'{text}' is cut off"


def screen(program, page, width, dark):
    """A page on a screen."""
    name = f"{page.stem}_{width}_{'dark' if dark else 'light'}"

    def case():
        found = measure(program, page.read_text(encoding="utf-8"), width, dark, name)
        print(f"# {found}")
        return list(problems(found, width))
    return name, case


def paper(program, page):
    """A page on paper. Dark colours are for screens only: the page is printed black on white."""
    name = f"{page.stem}_print"

    def case():
        found = measure(program, on_paper(page.read_text(encoding="utf-8")), PAPER, True, name)
        print(f"# {found}")
        chromium(program, True, f"--print-to-pdf={name}.pdf", "--no-pdf-header-footer",
                 page.absolute().as_uri())
        sheets = re.findall(rb"/Type\s*/Page\b", pathlib.Path(f"{name}.pdf").read_bytes())
        print(f"# {len(sheets)} sheets")
        return [*problems(found, PAPER), *(["nothing is printed"] if not sheets else [])]
    return name, case


def main():
    program, *names = sys.argv[1:]
    pages = [pathlib.Path(name) for name in names]
    cases = [screen(program, page, width, dark)
             for page in pages for width in WIDTHS for dark in (False, True)]
    cases += [paper(program, page) for page in pages]
    failed = False
    print(f"TAP version 13\n1..{len(cases)}")
    for number, (name, case) in enumerate(cases, 1):
        try:
            wrong = case()
        except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
            wrong = [error]
        for what in wrong:
            print(f"# {what}")
        failed |= bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} {name}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
