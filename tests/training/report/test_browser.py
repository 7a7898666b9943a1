"""The page in a browser: all of it is on the screen at every width, no word is broken, axe finds nothing."""

from copy import deepcopy
from importlib.resources import files
from pathlib import Path

import pytest

from tests.training.report.browser import evaluated, framed, needs_chromium
from tests.training.report.pages import made_up_report
from training.report.page import render_html

pytestmark = needs_chromium

POLICY = "content=\"default-src 'none'; style-src 'unsafe-inline'\""
LAYOUT = """
const faults = [];
for (const frame of document.querySelectorAll("iframe")) {
  const page = frame.contentDocument, width = page.documentElement.clientWidth;
  const fault = (what, where) => faults.push(`${frame.title}: ${what}: ${where.slice(0, 80)}`);
  for (const details of page.querySelectorAll("details")) details.open = true;
  if (page.documentElement.scrollWidth > width) fault("scrolls", "sideways");
  for (const one of page.body.querySelectorAll("*")) {
    const box = one.getBoundingClientRect();
    if (box.width > 1 && box.right > width + 1) fault("off the screen", one.outerHTML);
  }
  const texts = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.parentElement.closest("pre")) continue;
    for (const word of text.data.matchAll(/[^\\s-]+/g)) {
      if (word[0].length > 30) continue;
      const range = page.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map(box => Math.round(box.top)));
      if (lines.size > 1) fault("broken", word[0]);
    }
  }
}
return faults;
"""
AXE = """
const found = await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]});
return found.violations.map(v => `${v.id}: ${v.nodes.map(n => n.html.slice(0, 100)).join(" | ")}`);
"""


def whole() -> str:
    """A page with every part, and with names as long as they come."""
    report = made_up_report()
    report["title"] = "Which members of the premium programme will cancel within 180 days?"
    aggregate = "sum(amount)[payment_failure_of_the_second_kind]_lifetime"
    report["data"] = deepcopy(report["data"])
    report["data"]["columns"] = [{**column, "name": aggregate} for column in report["data"]["columns"]]
    report["data"]["read"] = [f"events.csv: {aggregate} {'x' * 90}"]
    return render_html(report)


def broken() -> str:
    """A page of a test with one outcome."""
    report = made_up_report()
    report["verdict"] = {**report["verdict"], "fault": "All of 94 test examples are positive."}
    return render_html(report)


def test_everything_is_on_the_screen_and_no_word_is_broken(tmp_path: Path) -> None:
    pages = {"whole": whole(), "broken": broken()}
    assert evaluated(tmp_path, framed(pages, (390, 800, 1400)), LAYOUT) == []


@pytest.mark.parametrize(("page", "scheme"), [(whole(), 1), (broken(), 0)], ids=["light", "dark"])
def test_axe_finds_nothing(page: str, scheme: int, tmp_path: Path) -> None:
    axe = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    assert POLICY in page
    open_page = page.replace(POLICY, 'content=""').replace("<style>", f"<script>{axe}</script><style>", 1)
    assert evaluated(tmp_path, open_page, AXE, f"--blink-settings=preferredColorScheme={scheme}") == []
