import io
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from hub.proof import picture
from hub.proof.photo import Source
from tests.hub.proof.pictures import photo, street

ZONE = ZoneInfo("Asia/Shanghai")
LOCAL = datetime(2026, 11, 23, 12, 30, tzinfo=timezone(timedelta(hours=8)))
PLACE = (32.72, 109.02)


@pytest.mark.parametrize("offset", ["+08:00", ""])
def test_a_photo_says_when_and_where(offset):
    taken, _ = picture.read(photo(street(1), LOCAL, PLACE, offset=offset), ZONE)
    assert taken.at == datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
    assert taken.place == pytest.approx(PLACE, abs=1e-6)
    assert (taken.at_from, taken.place_from) == (Source.EXIF, Source.EXIF)


def test_a_photo_from_another_zone_is_of_its_own_time():
    taken, _ = picture.read(photo(street(1), LOCAL, offset="+09:00"), ZONE)
    assert taken.at == datetime(2026, 11, 23, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "place"), [(None, None), (None, (0.0, 0.0))], ids=["nothing", "no fix"]
)
def test_what_a_photo_does_not_say_is_not_there(at, place):
    taken, _ = picture.read(photo(street(1), at, place), ZONE)
    assert (taken.at, taken.place) == (None, None)
    assert (taken.at_from, taken.place_from) == (Source.NONE, Source.NONE)


def test_a_date_that_is_none_is_not_there():
    data = photo(street(1), LOCAL, PLACE).replace(b"2026:11:23", b"0000:00:00")
    taken, _ = picture.read(data, ZONE)
    assert taken.at is None
    assert taken.place is not None


def test_the_copy_that_is_shown_carries_nothing_hidden():
    data = photo(street(1, size=(2400, 1800)), LOCAL, PLACE)
    shown = picture.bare(data)
    with Image.open(io.BytesIO(shown)) as copy:
        assert dict(copy.getexif()) == {}
        assert max(copy.size) <= picture.SHOWN_SIDE
    assert b"Exif" not in shown
    assert b"somebody" not in shown


def test_a_photo_taken_upright_is_shown_upright():
    wide = street(2)
    exif = Image.Exif()
    exif[0x0112] = 6
    data = io.BytesIO()
    wide.save(data, "JPEG", exif=exif)
    with Image.open(io.BytesIO(picture.bare(data.getvalue()))) as copy:
        assert copy.size == wide.size[::-1]
