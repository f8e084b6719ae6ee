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
"""What theme and language may change: a dark page, which tests show in light as well, is asked
these alone."""
ALIKE = ["tbody tr:nth-child(n + 9)", ".rows > li:nth-child(n + 9)", ".months > :nth-child(n + 3)"]
"""Rows like those before them: a year of days took axe as long as all other pages together."""
ASK = """async ([within, alike, tags, themed]) => {
  const moves = document.getAnimations().filter(
    (each) => each.effect.getComputedTiming().endTime !== Infinity)
  await Promise.all(moves.map((each) => each.finished.catch(() => {})))
  const runOnly = localStorage.getItem('tianyan.theme') === 'dark'
    ? { type: 'rule', values: themed } : { type: 'tag', values: tags }
  const context = { exclude: alike.map((each) => [each]) }
  if (within) context.include = [[within]]
  return axe.run(context, { runOnly, resultTypes: ['violations'] })
}"""


def faults(page: Page, within: str = "") -> list[str]:
    """Address, rule, element and remedy of all that axe objects to, in the page or a part of it."""
    need(AXE, "npm ci in hub/console")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(ASK, [within, ALIKE, TAGS, THEMED])
    if not found["passes"]:
        pytest.fail(f"axe looked at nothing of {page.url}")
    return [
        f"{page.url} {rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
