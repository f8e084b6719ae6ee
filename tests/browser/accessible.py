"""What axe finds wrong with a page for those who see, hear or point badly: WCAG 2.2 AA."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import need
from tests.browser.mock_hub import DIST

AXE = DIST.parent / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
THEMED = [
    "color-contrast",
    "link-in-text-block",
    "target-size",
    "html-has-lang",
    "html-lang-valid",
    "document-title",
    "button-name",
    "link-name",
    "label",
    "image-alt",
    "select-name",
    "summary-name",
    "empty-heading",
    "aria-command-name",
    "aria-dialog-name",
    "aria-input-field-name",
    "landmark-unique",
    "scrollable-region-focusable",
]
"""What theme and language may change, for pages that are shown in both and asked all in one."""
ALIKE = [".months > :nth-child(n + 3)"]
"""Months like those before them: a year of days took axe as long as all other pages together."""
# Axe takes what a modal dialog's ancestors cut off for unseen, though it stands above them all.
ASK = """async ([within, alike, runOnly]) => {
  const above = []
  const modal = document.querySelector('dialog:modal')
  for (let each = modal?.parentElement; each; each = each.parentElement) above.push(each)
  const before = above.map((each) => each.style.overflow)
  for (const each of above) each.style.overflow = 'visible'
  const moves = document.getAnimations().filter(
    (each) => each.effect.getComputedTiming().endTime !== Infinity)
  await Promise.all(moves.map((each) => each.finished.catch(() => {})))
  const context = { exclude: alike.map((each) => [each]) }
  if (within) context.include = [[within]]
  const found = await axe.run(context, { runOnly, resultTypes: ['violations'] })
  above.forEach((each, at) => { each.style.overflow = before[at] })
  return found
}"""

TURN = """() => {
  const root = document.documentElement
  root.dataset.theme = root.dataset.theme === 'dark' ? 'light' : 'dark'
  return document.getAnimations().filter((each) => each instanceof CSSTransition).length
}"""
"""To the other theme: at once, for who wants no motion, and so what still moves is a fault."""


def faults(page: Page, within: str = "", *, only: list[str] | None = None) -> list[str]:
    """Address, rule, element and remedy of all that axe objects to, in the page or a part of it.

    `only`: the rules to ask instead of all.
    """
    need(AXE, "npm ci in hub/console")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    asked = {"type": "rule", "values": only} if only else {"type": "tag", "values": TAGS}
    found = page.evaluate(ASK, [within, ALIKE, asked])
    judged = {rule["id"] for rule in found["passes"] + found["violations"]}
    if not judged or (not within and "color-contrast" not in judged):
        pytest.fail(f"axe judged no colours of {page.url}, but {sorted(judged)}")
    return [
        f"{page.url} {rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def faults_in_both_themes(page: Page) -> list[str]:
    """The same of a page in its theme and in the other one."""
    found = faults(page)
    _turn(page)
    found += faults(page)
    _turn(page)
    return found


def _turn(page: Page) -> None:
    if moving := page.evaluate(TURN):
        pytest.fail(f"{page.url} takes its theme on by {moving} movements")
