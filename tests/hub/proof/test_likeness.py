import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from hub.proof.likeness import (
    NEAR_BITS,
    bits_apart,
    compare,
    fingerprint,
    from_bytes,
    grey,
    mirrored,
    to_bytes,
)
from tests.hub.proof.pictures import street
from tests.shared import SHARED, needs_shared


def again(picture, quality=60):
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=quality)
    return Image.open(data).convert("RGB")


def cut(picture, left, top, right, bottom):
    w, h = picture.size
    return picture.crop((int(w * left), int(h * top), int(w * (1 - right)), int(h * (1 - bottom))))


COPIES = {
    "again": lambda p: again(p, 30),
    "small": lambda p: again(p.resize((p.width // 3, p.height // 3))),
    "bright": lambda p: again(ImageEnhance.Brightness(p).enhance(1.25)),
    "cut": lambda p: again(cut(p, 0.08, 0.03, 0.0, 0.1)),
    "mirrored": lambda p: again(ImageOps.mirror(p)),
    "mirrored and cut": lambda p: again(cut(ImageOps.mirror(p), 0.05, 0.05, 0.05, 0.0)),
}


def is_found(copy, original):
    known = from_bytes([to_bytes(fingerprint(original))])
    queries = (fingerprint(copy), fingerprint(mirrored(copy)))
    near = min(int(bits_apart(query, known)[0]) for query in queries)
    return near <= NEAR_BITS and compare(copy, original).is_copy


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("seed", [3, 4])
def test_a_copy_is_found_however_it_was_altered(how, seed):
    picture = street(seed)
    assert is_found(grey(COPIES[how](picture)), grey(picture))


def test_another_street_is_no_copy():
    greys = [grey(street(seed)) for seed in range(10, 18)]
    pairs = [(a, b) for i, a in enumerate(greys) for b in greys[:i]]
    assert not any(is_found(a, b) for a, b in pairs)


def test_the_same_view_with_the_heap_gone_is_no_copy():
    assert not compare(grey(street(5)), grey(street(5, heap=False))).is_copy


def test_a_picture_of_nothing_is_no_copy_of_another():
    blank = np.full((128, 128), 128, dtype=np.float32)
    assert not compare(blank, blank + 3).is_copy


@needs_shared
def test_real_pictures_are_told_apart_and_their_copies_found():
    paths = sorted((SHARED / "data" / "images" / "val").glob("*.jpg"))[:40]
    pictures = [Image.open(path).convert("RGB") for path in paths]
    greys = [grey(picture) for picture in pictures]
    prints = np.array([fingerprint(each) for each in greys])
    called = []
    for i, each in enumerate(greys):
        near = np.nonzero(bits_apart(prints[i], prints[:i]) <= NEAR_BITS)[0]
        called += [(i, int(j)) for j in near if compare(each, greys[int(j)]).is_copy]
    assert called == []
    altered = [COPIES["mirrored and cut"](picture) for picture in pictures[:12]]
    found = [is_found(grey(a), g) for a, g in zip(altered, greys, strict=False)]
    assert sum(found) >= 11
