import io

import pytest
from PIL import Image

from hub.errors import Problem
from hub.evidence.file import BadSignature, check_picture, check_signature, signed_path

KEY = b"k" * 32
QUERY = {"dev": "cam-1", "size": 10, "type": "image/jpeg", "exp": 1000, "sealed": 0}


def picture(kind="JPEG", size=(8, 8)):
    made = io.BytesIO()
    Image.new("RGB", size, "red").save(made, kind)
    return made.getvalue()


def signature(path):
    return path.rsplit("sig=", 1)[1]


def test_a_signature_belongs_to_its_address_and_time():
    path = signed_path(KEY, "a" * 64, dev="cam-1", size=10, kind="image/jpeg", exp=1000)
    assert path.startswith(
        f"/upload/{'a' * 64}?dev=cam-1&size=10&type=image%2Fjpeg&exp=1000&sealed"
    )
    check_signature(KEY, "a" * 64, QUERY, signature(path), now_ms=1000)


@pytest.mark.parametrize(
    ("key", "sha256", "changes", "now_ms"),
    [
        (b"other", "a" * 64, {}, 0),
        (KEY, "b" * 64, {}, 0),
        (KEY, "a" * 64, {"dev": "cam-2"}, 0),
        (KEY, "a" * 64, {"size": 11}, 0),
        (KEY, "a" * 64, {"type": "video/mp4"}, 0),
        (KEY, "a" * 64, {"exp": 2000}, 0),
        (KEY, "a" * 64, {"sealed": 1}, 0),
        (KEY, "a" * 64, {}, 1001),
    ],
)
def test_any_change_is_refused(key, sha256, changes, now_ms):
    path = signed_path(KEY, "a" * 64, dev="cam-1", size=10, kind="image/jpeg", exp=1000)
    with pytest.raises(BadSignature):
        check_signature(key, sha256, QUERY | changes, signature(path), now_ms)


@pytest.mark.parametrize(
    "content",
    [b"\xff\xd8\xff no picture", picture()[:-40], picture("PNG")[:-36], picture("GIF"), b""],
)
def test_broken_pictures_are_refused(tmp_path, content):
    (tmp_path / "p").write_bytes(content)
    with pytest.raises(Problem) as caught:
        check_picture(tmp_path / "p", 10_000)
    assert caught.value.status == 422


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_unpacked(tmp_path):
    bomb = picture("PNG", (4000, 4000))
    assert len(bomb) < 100_000
    (tmp_path / "p").write_bytes(bomb)
    with pytest.raises(Problem, match="too many"):
        check_picture(tmp_path / "p", 1_000_000)
    check_picture(tmp_path / "p", 16_000_000)
