"""The tour never goes stale: each page has its picture, each picture its place in a document."""

import re
from pathlib import Path

from tests.browser.tour import DEMO, LIVED, MADE_UP, SHOTS

ROOT = Path(__file__).parents[1]
NAV = ROOT / "hub" / "console" / "src" / "nav.ts"
IMAGES = ROOT / "docs" / "images"
PICTURE = re.compile(r"!\[[^\]]+\]\(([^)#\s]+)\)")
MOST_BYTES = 3_000_000


def named_by_pages() -> set[Path]:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return {
        (page.parent / picture).resolve()
        for page in pages
        for picture in PICTURE.findall(page.read_text(encoding="utf-8"))
    }


def test_every_page_of_the_navigation_has_its_picture() -> None:
    pages = set(re.findall(r"\bto: '(/[^']*)'", NAV.read_text(encoding="utf-8")))
    assert len(pages) > 15
    assert pages - {shot.route for shot in (*DEMO, *MADE_UP, *LIVED)} == set()


def test_pictures_are_named_made_and_kept_alike() -> None:
    kept = {path.resolve() for path in IMAGES.iterdir()}
    assert named_by_pages() == kept
    assert {IMAGES / shot.file for shot in SHOTS} == kept
    assert len({shot.name for shot in SHOTS}) == len(SHOTS)


def test_the_tour_shows_every_picture_once() -> None:
    tour = PICTURE.findall((ROOT / "docs" / "tour.md").read_text(encoding="utf-8"))
    assert sorted(tour) == sorted(f"images/{shot.file}" for shot in SHOTS)


def test_pictures_are_small() -> None:
    assert sum(path.stat().st_size for path in IMAGES.iterdir()) < MOST_BYTES
