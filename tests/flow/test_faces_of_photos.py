"""Faces in what an officer photographs: covered for most, in full for those with the right."""

import io

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from edge.detect.faces import open_finder
from hub.roles import Role
from hub.store import Store, now
from tests.hub.proof.pictures import photo
from tests.hub.proof.test_proof_api import HERE, SITE_TIME, Street
from tests.shared import SHARED, needs_shared
from tianyan.cover import open_cover

PICTURE = "vending_lindsayrgwatt_82db778b.jpg"
LEAST_FACES = 8


def faces_in(data):
    return open_finder().find(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))


def overlap(a, b):
    """The share of the smaller of two boxes that lies in the other."""
    w = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    h = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    return max(w, 0) * max(h, 0) / min(a.w * a.h, b.w * b.h)


@pytest.fixture
def store(tmp_path):
    built = Store(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    built.migrate()
    yield built
    built.close()


@pytest.fixture(scope="module")
def crowd():
    """A photograph of people in a street, as a phone at the case's place writes it now."""
    (path,) = (SHARED / "data" / "images").glob(f"*/{PICTURE}")
    with Image.open(path) as picture:
        return photo(picture.convert("RGB"), now().astimezone(SITE_TIME), HERE, quality=95)


@needs_shared
@pytest.mark.timeout(600)
def test_most_people_see_no_face_and_the_original_is_opened_by_few(tmp_path, store, crowd):
    world = Street(tmp_path, store, cover=open_cover())
    case = world.report()["case_id"]
    assert world.act(case, "file").status_code == 200
    assert world.act(case, "dispatch").status_code == 200
    sent = world.upload(case, crowd, role=Role.HANDLER)
    assert sent.status_code == 201, sent.text
    given = sent.json()
    assert given["url"] is not None

    there = faces_in(crowd)
    assert len(there) >= LEAST_FACES
    shown = world.call("GET", given["url"], role=Role.COLLECTOR)
    assert shown.status_code == 200
    left = faces_in(shown.content)
    assert not [(a, b) for a in there for b in left if overlap(a, b) > 0.3]
    with Image.open(io.BytesIO(shown.content)) as picture:
        assert not picture.getexif().get_ifd(ExifTags.IFD.GPSInfo)  # nor the hidden notes

    original = given["original"]
    assert world.call("GET", f"/api/evidence/{original}").status_code == 403  # sealed, for all
    assert not world.hub.site.vault.path(original).exists()
    assert crowd[1000:1100] not in world.hub.site.vault.sealed_path(original).read_bytes()
    opening = f"/api/evidence/{original}/opening"
    why = {"reason": "a complaint"}
    for role in (Role.VIEWER, Role.HANDLER, Role.OPERATOR):
        assert world.call("POST", opening, role=role, json=why).status_code == 403
    opened = world.call("POST", opening, role=Role.SUPERVISOR, json=why)
    assert (opened.status_code, opened.content) == (200, crowd)
    assert len(faces_in(opened.content)) == len(there)


@needs_shared
def test_where_nobody_can_cover_faces_nobody_is_shown_any(tmp_path, store, crowd):
    world = Street(tmp_path, store, cover=None)
    case = world.report()["case_id"]
    world.handled(case)
    given = world.upload(case, crowd, role=Role.HANDLER).json()
    assert given["url"] is None
    for path in world.hub.site.vault.folder.rglob("*"):
        assert not path.is_file() or path.read_bytes() != crowd
