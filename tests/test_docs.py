"""The documents hold together: links lead somewhere, decisions are numbered in order."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    page
    for page in ROOT.rglob("*.md")
    if not {".venv", "node_modules", "runs"} & set(page.relative_to(ROOT).parts)
]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page):
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_decisions_are_numbered_in_order():
    titles = [page.read_text(encoding="utf-8").split("\n", 1)[0] for page in DECISIONS]
    assert [page.name[:5] for page in DECISIONS] == [
        f"{number:04d}-" for number in range(1, len(DECISIONS) + 1)
    ]
    assert [title.split(" ")[1] for title in titles] == [
        f"{number}." for number in range(1, len(DECISIONS) + 1)
    ]
