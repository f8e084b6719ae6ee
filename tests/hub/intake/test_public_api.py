import io

import pytest
from PIL import Image

from hub.app import Hub, create_app
from hub.intake.public_api import HOUR_MS, Turnstile
from tests.hub.client import Client
from tests.hub.test_api import LOCAL
from tests.hub.world import LAT, LON, make_site

OPEN = {"photos": "optional", "look": False, "check": "optional"}
REPORT = {
    "content": "垃圾堆在门口",
    "matter": "暴露垃圾",
    "lat": LAT,
    "lon": LON,
    "caller": {"phone": "13812345678"},
}


@pytest.fixture
def citizen(tmp_path, sqlite_store):
    site = make_site(sqlite_store, tmp_path, intake={"public": True, "per_hour": 3}, proof=OPEN)
    hub = Hub.build(site.config, sqlite_store)
    return Client(create_app(site.config, hub), raise_server_exceptions=False, **LOCAL)


def test_a_citizen_reports_without_an_account_and_asks_with_the_key(citizen):
    receipt = citizen.post("/public/reports", json=REPORT).json()
    path = f"/public/reports/{receipt['number']}"
    outcome = citizen.get(path, params={"key": receipt["key"]}).json()
    assert (outcome["state"], outcome["open"], outcome["matter"]) == ("已上报", True, "暴露垃圾")
    assert "138" not in str(outcome)
    assert "门口" not in str(outcome)
    for key in ("", "0" * 16):
        assert citizen.get(path, params={"key": key}).status_code == 404


def test_one_address_may_send_so_many_an_hour(citizen):
    answers = [citizen.post("/public/reports", json=REPORT).status_code for _ in range(4)]
    assert answers == [201, 201, 201, 429]


def test_the_hour_passes_and_addresses_are_forgotten():
    turnstile = Turnstile(1)
    assert turnstile.let_in("a", 0)
    assert not turnstile.let_in("a", HOUR_MS - 1)
    assert turnstile.let_in("a", HOUR_MS)
    assert turnstile.let_in("b", 0)


def test_where_the_city_does_not_allow_it_there_is_no_such_page(tmp_path, sqlite_store):
    site = make_site(sqlite_store, tmp_path)
    hub = Hub.build(site.config, sqlite_store)
    client = Client(create_app(site.config, hub), raise_server_exceptions=False, **LOCAL)
    assert client.post("/public/reports", json=REPORT).status_code in (404, 405)


# photos


def picture(size=(64, 48), kind="JPEG", *, exif=True, **more):
    image = Image.new("RGB", size, (200, 30, 30))
    tags = Image.Exif()
    tags[0x010E] = "SECRET OWNER"
    tags.get_ifd(0x8825)[2] = (32.0, 41.0, 0.0)
    written = io.BytesIO()
    image.save(written, kind, **({"exif": tags} if exif else {}), **more)
    return written.getvalue()


@pytest.fixture
def told(citizen):
    receipt = citizen.post("/public/reports", json=REPORT).json()

    def send(data, key=receipt["key"]):
        path = f"/public/reports/{receipt['number']}/photos"
        return citizen.put(path, params={"key": key}, content=data)

    return receipt, send


def test_a_photo_is_kept_without_what_it_carried(citizen, told):
    _, send = told
    sent = picture((4000, 3000)) + b"<script>hidden</script>"
    assert b"SECRET OWNER" in sent
    assert send(sent).json() == {"photos": 1}
    hub = citizen.app.state.hub
    (kept,) = [f for f in (hub.config.data_dir / "evidence").glob("??/*") if f.is_file()]
    data = kept.read_bytes()
    assert b"SECRET" not in data
    assert b"script" not in data
    with Image.open(io.BytesIO(data)) as shown:
        assert max(shown.size) == 1920
        assert not shown.getexif()
    assert send(picture(kind="PNG", exif=False)).json() == {"photos": 2}
    assert send(picture((70, 70))).json() == {"photos": 3}
    assert send(picture((70, 70))).json() == {"photos": 3}  # the same again
    full = send(picture((80, 80)))
    assert (full.status_code, full.json()["error"]["code"]) == (409, "enough")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 422),
        (b"<svg onload=alert(1)>", 422),
        (picture()[:200], 422),
        (b"\xff\xd8\xff" + b"x" * 2_000_000, 413),
        (picture((9000, 9000), "PNG", exif=False), 422),
    ],
)
def test_what_is_no_photo_is_refused_and_nothing_kept(citizen, told, data, status):
    _, send = told
    assert send(data).status_code == status
    folder = citizen.app.state.hub.config.data_dir / "evidence"
    assert [f for f in folder.glob("??/*") if f.is_file()] == []
    assert list((folder / "incoming").iterdir()) == []


def test_only_the_reporter_adds_photos(told):
    _, send = told
    assert send(picture(), key="0" * 16).status_code == 404


# what the law lets everybody see


def test_a_closed_case_shows_basis_and_procedure_and_nobody(citizen, tmp_path):
    hub = citizen.app.state.hub
    from hub import auth
    from hub.roles import Role

    with hub.store.write() as tx:
        keys = {name: auth.issue_token(tx, name, Role.SUPERVISOR) for name in ("zhao", "wu")}
    receipt = citizen.post("/public/reports", json=REPORT).json()
    secret = REPORT | {"matter": "09001", "content": "ask my neighbour Li at no 7"}
    citizen.post("/public/reports", json=secret)
    steps = [("zhao", "file"), ("zhao", "dispatch"), ("zhao", "accept"), ("zhao", "feedback"),
             ("wu", "verify_result"), ("wu", "close")]  # fmt: skip
    assert citizen.get("/public/cases").json()["total"] == 0
    for who, action in steps:
        key = {"Authorization": f"Bearer {keys[who]}"}
        (case,) = citizen.get("/api/cases?matter=06010", headers=key).json()["items"]
        body = {"action": action, "version": case["version"], "note": "SECRET NOTE"}
        done = citizen.post(f"/api/cases/{case['id']}/actions", headers=key, json=body)
        assert done.status_code == 200, done.text
    listed = citizen.get("/public/cases", params={"grid": "q01"}).json()
    assert listed["total"] == 1
    (shown,) = listed["items"]
    assert shown["basis"] == "GB/T 47678.5-2026 06010"
    assert shown["grid"]["code"] == "q01"
    assert [step["state"] for step in shown["procedure"]] == [
        "reported", "filed", "dispatched", "handling", "handled", "verifying_result", "closed",
    ]  # fmt: skip
    text = str(listed)
    for word in ("zhao", "wu", "SECRET", "门口", "138", "lat"):
        assert word not in text
    assert shown["penalty"] is None
    assert citizen.get("/public/cases?grid=q10").json()["total"] == 0
    assert citizen.get("/public/cases?matter=09001").json()["total"] == 0
    own = citizen.get(f"/public/reports/{receipt['number']}/case", params={"key": receipt["key"]})
    assert own.json() == shown
    denied = citizen.get(f"/public/reports/{receipt['number']}/case", params={"key": "x"})
    assert denied.status_code == 404
    with hub.store.write() as tx:
        tx.exec_driver_sql("UPDATE reports SET confidential = 1")
    assert citizen.get("/public/cases").json()["total"] == 0


def test_the_site_says_what_may_be_reported(citizen):
    site = citizen.get("/public/site").json()
    assert len(site["matters"]) == 97
    assert {"code": "q01", "name": "grid q01"} in site["grids"]
