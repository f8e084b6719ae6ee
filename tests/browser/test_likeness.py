"""What counts as the same picture, and what does not."""

import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.browser.likeness import LIMIT, differences

FONT = ImageFont.load_default(14)
INK, WHITE, BLUE = "#141a22", "#ffffff", "#15607a"


def page(
    *, label: str = "Undecided", button: tuple[int, int] = (200, 60), paper: str = WHITE,
    tint: str = BLUE, ink: str = INK,
) -> Image.Image:  # fmt: skip
    """A label, a line of text and a button."""
    drawn = Image.new("RGB", (400, 160), paper)
    pen = ImageDraw.Draw(drawn)
    pen.text((20, 20), label, INK, FONT)
    pen.text((20, 120), "Grid q01, closed in time 78.6 %", ink, FONT)
    left, top = button
    pen.rectangle((left, top, left + 90, top + 32), tint)
    pen.text((left + 16, top + 8), "Confirm", WHITE, FONT)
    return drawn


def far(other: Image.Image) -> float:
    return float(differences(page(), other).max())


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(page(), id="itself"),
        pytest.param(page(button=(202, 61)), id="two pixels beside"),
        pytest.param(page(ink="#1c222a"), id="letters a little paler"),
        pytest.param(
            page().resize((800, 320), Image.Resampling.BICUBIC).resize((400, 160)), id="smoothed"
        ),
    ],
)
def test_the_same_however_it_is_drawn(other: Image.Image) -> None:
    assert far(other) <= LIMIT


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(page(label=""), id="no label"),
        pytest.param(page(button=(214, 60)), id="a button moved"),
        pytest.param(page(button=(200, 74)), id="a button lower"),
        pytest.param(page(tint="#8a2b1f"), id="another colour"),
        pytest.param(page(paper="#0b0e13"), id="dark paper under dark letters"),
    ],
)
def test_not_the_same(other: Image.Image) -> None:
    assert far(other) > LIMIT
