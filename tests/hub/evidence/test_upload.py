import hashlib
import io

import pytest
from PIL import Image
from sqlalchemy import select

from hub import auth, pipeline
from hub.alerts.alert import alert_id
from hub.app import Hub, create_app
from hub.events import events
from hub.evidence.file import signed_path
from hub.roles import Role
from hub.store import now, to_ms
from tests import media_files
from tests.hub.client import Client
from tests.hub.world import alert_message, make_site, received
from wire.alert import EvidenceRef


def picture(color="red", kind="JPEG"):
    made = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(made, kind)
    return made.getvalue()


PICTURE = picture()
SHA = hashlib.sha256(PICTURE).hexdigest()


@pytest.fixture
def hub(sqlite_store, tmp_path):
    site = make_site(sqlite_store, tmp_path, evidence={"max_image_mb": 0.1, "max_pixels": 10_000})
    built = Hub.build(site.config, sqlite_store)
    shown = EvidenceRef(SHA, len(PICTURE), "image/jpeg", "annotated")
    with built.store.write() as tx:
        pipeline.take(tx, site, "alert", [received(alert_message(evidence=[shown]))])
    return built


@pytest.fixture
def client(hub):
    with hub.store.write() as tx:
        token = auth.issue_token(tx, "wang", Role.OPERATOR)
    headers = {"Authorization": f"Bearer {token}"}
    return Client(create_app(hub.config, hub), headers=headers)


def address(hub, content=PICTURE, size=None, kind="image/jpeg", seconds=60, sha256=None):
    return signed_path(
        hub.site.vault.key,
        sha256 or hashlib.sha256(content).hexdigest(),
        dev="cam-1",
        size=size or len(content),
        kind=kind,
        exp=to_ms(now()) + seconds * 1000,
    )


def sha_of_upload(offer):
    content = offer.get("content", PICTURE)
    return offer.get("sha256") or hashlib.sha256(content).hexdigest()


def left_behind(hub):
    return [path.name for path in hub.site.vault.incoming.iterdir()]


def test_a_picture_is_stored_told_and_shown(hub, client):
    assert client.put(address(hub), content=PICTURE).status_code == 201
    again = client.put(address(hub), content=PICTURE)
    assert again.status_code == 200

    item = client.get(f"/api/alerts/{alert_id(alert_message())}").json()
    assert item["evidence"][0]["url"] == f"/api/evidence/{SHA}"
    shown = client.get(item["evidence"][0]["url"])
    assert shown.content == PICTURE
    assert shown.headers["content-type"] == "image/jpeg"
    assert "private" in shown.headers["cache-control"]
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert left_behind(hub) == []
    with hub.store.read() as tx:
        kinds = [row.kind for row in tx.execute(select(events).order_by(events.c.id))]
    assert kinds[:2] == ["alert", "alert"]


OTHER = picture("blue")
CUT = PICTURE[:-30]
PAGE = b"<html><script>alert(1)</script>"
LARGE = b"\xff\xd8\xff" + b"x" * 200_000
WIDE = io.BytesIO()
Image.new("RGB", (500, 500)).save(WIDE, "PNG")
WIDE = WIDE.getvalue()


@pytest.mark.parametrize(
    ("sent", "offer", "status", "code"),
    [
        (PICTURE, {"seconds": -1}, 403, "bad_signature"),
        (OTHER, {"sha256": SHA, "size": len(OTHER)}, 409, "hash_differs"),
        (LARGE, {"content": LARGE}, 413, "too_large"),
        (PICTURE + b"more", {}, 413, "too_large"),
        (PICTURE, {"kind": "image/png"}, 415, "wrong_type"),
        (PAGE, {"content": PAGE}, 415, "wrong_type"),
        (b"\xff\xd8", {"content": b"\xff\xd8"}, 415, "wrong_type"),
        (CUT, {"content": CUT}, 422, "bad_picture"),
        (WIDE, {"content": WIDE, "kind": "image/png"}, 422, "bad_picture"),
        (PICTURE[:50], {}, 409, "hash_differs"),
    ],
)
def test_what_is_not_as_offered_is_refused_and_leaves_nothing(
    hub, client, sent, offer, status, code
):
    answer = client.put(address(hub, **offer), content=sent)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert left_behind(hub) == []
    expected = 409 if sha_of_upload(offer) == SHA and code == "hash_differs" else 404
    assert client.get(f"/api/evidence/{SHA}").status_code == expected


def test_a_changed_address_is_refused(hub, client):
    forged = address(hub).replace("dev=cam-1", "dev=cam-2")
    assert client.put(forged, content=PICTURE).status_code == 403


def test_an_upload_in_parts(hub, client):
    half, size = len(PICTURE) // 2, len(PICTURE)
    first = {"Content-Range": f"bytes 0-{half - 1}/{size}"}
    rest = {"Content-Range": f"bytes {half}-{size - 1}/{size}"}
    wrong = {"Content-Range": f"bytes {half + 5}-{size - 1}/{size}"}

    begun = client.put(address(hub), content=PICTURE[:half], headers=first)
    assert (begun.status_code, begun.headers["range"]) == (202, f"bytes=0-{half - 1}")
    asking = {"Content-Range": f"bytes */{size}"}
    asked = client.put(address(hub), content=b"", headers=asking)
    assert (asked.status_code, asked.headers["range"]) == (202, f"bytes=0-{half - 1}")
    skipped = client.put(address(hub), content=PICTURE[half + 5 :], headers=wrong)
    assert skipped.status_code == 409
    assert str(half) in skipped.json()["error"]["message"]
    assert client.put(address(hub), content=PICTURE[half:], headers=rest).status_code == 201
    assert left_behind(hub) == []


@pytest.mark.parametrize("header", ["bytes */9", "bytes 5-2/10", "bytes 0-5/7", "lines 0-1/2"])
def test_a_senseless_range_is_refused(hub, client, header):
    answer = client.put(address(hub), content=PICTURE, headers={"Content-Range": header})
    assert answer.status_code == 422


def test_a_device_has_its_share_of_a_day(hub):
    limits = hub.config.evidence.model_copy(update={"max_device_mb_per_day": 1e-5})
    hub.config = hub.config.model_copy(update={"evidence": limits})
    limited = Client(create_app(hub.config, hub))
    answer = limited.put(address(hub), content=PICTURE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "daily_limit")
    assert int(answer.headers["retry-after"]) > 0


def test_the_grant_key_is_kept_for_its_owner(hub, tmp_path):
    key = hub.site.vault.folder / "grant-key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert type(hub.site.vault)(hub.site.vault.folder).key == hub.site.vault.key


KINDS = [kind for kind in media_files.files() if kind != "image/jpeg"]


def offered(hub, data, kind, *, sealed):
    """A vehicle's alert that names such a file; the address it is put to."""
    ref = EvidenceRef(hashlib.sha256(data).hexdigest(), len(data), kind, "clip", sealed=sealed)
    message = alert_message(9, alert="heard", label="vehicle_picture", evidence=[ref])
    with hub.store.write() as tx:
        pipeline.take(tx, hub.site, "alert", [received(message)])
    return signed_path(
        hub.site.vault.key, ref.sha256, dev="cam-1", size=len(data), kind=kind,
        exp=to_ms(now()) + 60_000, sealed=sealed,
    )  # fmt: skip


@pytest.fixture
def roomy(sqlite_store, tmp_path):
    return Hub.build(make_site(sqlite_store, tmp_path).config, sqlite_store)


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_sounds_films_and_tifs_are_kept_as_they_came_and_saved_not_shown(roomy, kind, sealed):
    data = media_files.files()[kind]
    with roomy.store.write() as tx:
        token = auth.issue_token(tx, "zhao", Role.ADMIN)
    bearer = {"Authorization": f"Bearer {token}"}
    with Client(create_app(roomy.config, roomy), headers=bearer) as client:
        address = offered(roomy, data, kind, sealed=sealed)
        assert client.put(address, content=data).status_code == 201
        path = f"/api/evidence/{hashlib.sha256(data).hexdigest()}"
        if sealed:
            assert client.get(path).status_code == 403
            got = client.post(f"{path}/opening", json={"reason": "a complaint"})
        else:
            got = client.get(path)
    assert got.content == data
    assert got.headers["content-type"] == kind
    how = "inline" if kind == "video/mp4" else "attachment"
    assert got.headers["content-disposition"].startswith(f"{how}; filename=")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in got.headers["content-security-policy"]


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_program_is_no_sound_whatever_it_is_called(roomy, kind, sealed):
    data = b"MZ\x90\0" + bytes(3000)
    with Client(create_app(roomy.config, roomy)) as client:
        answer = client.put(offered(roomy, data, kind, sealed=sealed), content=data)
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "wrong_type")
        odd = address(roomy, data, kind="application/octet-stream")
        assert client.put(odd, content=data).status_code == 415


def test_what_is_sealed_fits_into_memory(roomy):
    with Client(create_app(roomy.config, roomy)) as client:
        sent = signed_path(
            roomy.site.vault.key, "ab" * 32, dev="cam-1", size=21_000_000, kind="audio/wav",
            exp=to_ms(now()) + 60_000, sealed=True,
        )  # fmt: skip
        assert client.put(sent, content=b"RIFF").status_code == 413
