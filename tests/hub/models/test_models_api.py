"""Models in, rollouts on: over HTTP and from what devices say of themselves."""

import io
import zipfile

import pytest

from hub import audit
from hub.commands import add_model
from hub.courier import Letter
from hub.models import store as model_store
from hub.pipeline import down
from hub.roles import Role
from hub.store import now
from tests.hub.test_api import take
from tests.hub.world import after, birth, ms, state
from tests.nets import model_folder
from wire.bundle import pack
from wire.codec import decode
from wire.coded import code_of, coded
from wire.status import Health
from wire.update import ModelState, UpdateReport, UpdateState

BOXES = [f"box-{i}" for i in range(4)]


@pytest.fixture
def folder(tmp_path):
    made = model_folder(tmp_path / "street-n", version="2")
    (made / "selftest.json").write_text("{}")
    return made


@pytest.fixture
def bundle(folder, tmp_path):
    pack(folder, tmp_path / "bundle.zip")
    return (tmp_path / "bundle.zip").read_bytes()


@pytest.fixture
def boxes(hub):
    """Four devices with a camera each, online."""
    for name in BOXES:
        take(hub, "state", state(dev=name))
        take(hub, "birth", birth(dev=name))
    return BOXES


@pytest.fixture
def model(call, bundle):
    return call("POST", "/api/models", content=bundle).json()


def rolled(call, *, stages=(["box-0"], ["box-1", "box-2"]), **more):
    body = {"model": "street-n", "version": "2", "stages": list(stages)} | more
    return call("POST", "/api/rollouts", json=body)


def due(hub, at=None):
    """Devices that the courier would write to now."""
    source = down(hub.site)[-1]
    with hub.store.write() as tx:
        letters = source.due(tx, at or now())
        source.sent(tx, [letter.key for letter in letters], at or now())
    assert all(isinstance(letter, Letter) and letter.name == "update" for letter in letters)
    return {letter.dev: decode("update", letter.payload) for letter in letters}


def says(hub, dev, update_state, number=1, why="", at=5):
    report = UpdateReport(f"r{number}", "street-n", "2", update_state, str(why), said=code_of(why))
    model = ModelState("street-n", "1", update=report)
    take(hub, "health", Health(dev=dev, ts=ms(after(at)), model=model))


def test_a_model_is_kept_and_listed_with_where_it_comes_from(call, model, bundle):
    assert (model["name"], model["version"], model["size"]) == ("street-n", "2", len(bundle))
    again = call("POST", "/api/models", content=bundle)
    assert again.status_code == 201
    assert call("GET", "/api/models", Role.VIEWER).json()["total"] == 1


def test_the_command_adds_the_same(hub, folder, tmp_path, call):
    config = tmp_path / "hub.yaml"
    config.write_text(f"data_dir: .\ndatabase: {hub.store.engine.url}\n")
    (line,) = add_model(config, folder)
    assert (line["model"], line["version"]) == ("street-n", "2")
    assert call("GET", "/api/models").json()["items"][0]["added_by"] == "command line"


def other_bytes(folder):
    (folder / "street-n.onnx").write_bytes(b"x")


def no_labels(folder):
    path = folder / "manifest.yaml"
    path.write_text(path.read_text().split("labels:")[0])


def no_self_test(folder):
    (folder / "selftest.json").unlink()


def no_yaml(folder):
    (folder / "manifest.yaml").write_text("{")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (other_bytes, "street-n.onnx: SHA-256 is"),
        (no_labels, "labels is missing"),
        (no_self_test, "selftest.json is missing"),
        (no_yaml, "manifest.yaml: is not YAML"),
    ],
)
def test_what_is_no_model_is_refused_by_name(call, folder, spoil, said, hub):
    spoil(folder)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    answer = call("POST", "/api/models", content=data.getvalue())
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]
    assert call("GET", "/api/models").json()["total"] == 0
    assert not list((hub.config.data_dir / "models").glob("*.zip"))


def test_one_version_has_one_content(call, model, folder, tmp_path):
    (folder / "CARD.md").write_text("more")
    pack(folder, tmp_path / "b2.zip")
    answer = call("POST", "/api/models", content=(tmp_path / "b2.zip").read_bytes())
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "taken")


def test_the_first_stage_hears_of_it_and_nobody_else(hub, call, model, boxes):
    item = rolled(call).json()
    assert (item["state"], item["stage"], item["stages"]) == ("running", 1, 2)
    letters = due(hub)
    assert set(letters) == {"box-0"}
    update = letters["box-0"]
    assert (update.model, update.version, update.id) == ("street-n", "2", "r1")
    assert due(hub) == {}
    path = update.url.removeprefix(hub.site.config.base_url)
    got = call("GET", path, role=None)
    assert got.status_code == 200
    part = call("GET", path, role=None, headers={"Range": "bytes=100-"})
    assert (part.status_code, part.content) == (206, got.content[100:])
    for wrong in (path.replace("box-0", "box-1"), path.replace("exp=1", "exp=2")):
        assert call("GET", wrong, role=None).status_code == 403


def test_who_was_away_hears_when_he_is_back_and_who_is_silent_again(hub, call, model, boxes):
    take(hub, "state", state(dev="box-0", online=False, session=1))
    rolled(call)
    assert due(hub) == {}
    take(hub, "state", state(dev="box-0", session=2))
    assert set(due(hub)) == {"box-0"}
    assert due(hub) == {}
    assert set(due(hub, now() + model_store.AGAIN * 1.1)) == {"box-0"}


def test_the_next_stage_comes_on_command_when_all_are_well(hub, call, model, boxes):
    rolled(call)
    due(hub)
    answer = call("POST", "/api/rollouts/1/actions", json={"action": "next"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_complete")
    assert "box-0 sent" in answer.json()["error"]["message"]
    for each in (UpdateState.DOWNLOADING, UpdateState.TESTING, UpdateState.TRIAL,
                 UpdateState.ACTIVE):  # fmt: skip
        says(hub, "box-0", each)
    item = call("GET", "/api/rollouts/1").json()
    assert (item["stage"], item["stage_complete"]) == (1, True)
    assert due(hub) == {}
    call("POST", "/api/rollouts/1/actions", json={"action": "next"})
    assert set(due(hub)) == {"box-1", "box-2"}
    for name in ("box-1", "box-2"):
        says(hub, name, UpdateState.ACTIVE)
    item = call("GET", "/api/rollouts/1").json()
    assert (item["state"], item["counts"]) == ("done", {"active": 3})


def test_the_next_stage_comes_by_itself_after_a_clean_time(hub, call, model, boxes):
    rolled(call, clean_s=3600)
    says(hub, "box-0", UpdateState.ACTIVE)
    with hub.store.write() as tx:
        model_store.advance(tx, after(1800))
        assert model_store.load(tx, [1])[1].stage == 0
        model_store.advance(tx, after(3700))
        assert model_store.load(tx, [1])[1].stage == 1


@pytest.mark.parametrize("bad", [UpdateState.FAILED, UpdateState.FELL_BACK])
def test_one_failure_stops_it_for_all_who_wait(hub, call, model, boxes, bad):
    rolled(call, stages=(["box-1", "box-0"], ["box-2"]))
    says(hub, "box-0", UpdateState.ACTIVE)
    why = coded("lacks_labels", "labels: it cannot say {labels}", labels="garbage")
    says(hub, "box-1", bad, why=why)
    item = call("GET", "/api/rollouts/1").json()
    assert (item["state"], item["why"]) == (
        "stopped",
        f"box-1 {bad}: labels: it cannot say garbage",
    )
    code = {UpdateState.FAILED: "device_failed", UpdateState.FELL_BACK: "fell_back"}[bad]
    assert item["coded"]["why"]["code"] == code
    assert item["coded"]["why"]["values"] == {"device": "box-1", "why": why.parts()}
    assert {each["device"]: each["coded"] for each in item["devices"]}["box-1"] == {
        "why": why.parts()
    }
    assert due(hub) == {}
    with hub.store.read() as tx:
        assert [e.action for e in audit.of(tx, "rollout", "1")] == ["begin", "stopped"]
    assert call("POST", "/api/rollouts/1/actions", json={"action": "next"}).status_code == 409
    going = call(
        "POST", "/api/rollouts/1/actions", json={"action": "next", "note": "a bad disk there"}
    ).json()
    assert (going["state"], going["stage"]) == ("running", 2)
    assert set(due(hub)) == {"box-2"}
    says(hub, "box-2", UpdateState.ACTIVE)
    assert call("GET", "/api/rollouts/1").json()["state"] == "done"


def test_stopped_or_cancelled_nothing_is_sent(hub, call, model, boxes):
    rolled(call)
    call("POST", "/api/rollouts/1/actions", json={"action": "stop", "note": "a holiday"})
    assert due(hub) == {}
    call("POST", "/api/rollouts/1/actions", json={"action": "cancel"})
    answer = call("POST", "/api/rollouts/1/actions", json={"action": "next", "note": "x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "over")


def test_what_was_stopped_goes_on_with_its_own_stage_first(hub, call, model, boxes):
    rolled(call, stages=(["box-0", "box-1"], ["box-2"]))
    says(hub, "box-0", UpdateState.ACTIVE)
    call("POST", "/api/rollouts/1/actions", json={"action": "stop", "note": "a holiday"})
    wanted = {"action": "next", "note": "the holiday is over"}
    going = call("POST", "/api/rollouts/1/actions", json=wanted).json()
    assert (going["state"], going["stage"]) == ("running", 1)
    assert set(due(hub)) == {"box-1"}
    says(hub, "box-1", UpdateState.ACTIVE)
    wanted = {"action": "next"}
    assert call("POST", "/api/rollouts/1/actions", json=wanted).json()["stage"] == 2


def test_a_device_is_in_one_running_rollout(hub, call, model, boxes):
    rolled(call)
    answer = rolled(call, stages=(["box-2"],))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "busy")
    call("POST", "/api/rollouts/1/actions", json={"action": "cancel"})
    assert rolled(call, stages=(["box-2"],)).status_code == 201


def test_words_of_strangers_and_of_other_rollouts_change_nothing(hub, call, model, boxes):
    rolled(call)
    says(hub, "box-3", UpdateState.FAILED)
    says(hub, "box-0", UpdateState.FAILED, number=77)
    assert call("GET", "/api/rollouts/1").json()["state"] == "running"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"version": "9"}, 404, "model street-n 9"),
        ({"stages": [["nobody"]]}, 422, "stages.0: 'nobody'"),
        ({"stages": []}, 422, "stages"),
        ({"speed": 1}, 422, "speed"),
    ],
)
def test_a_rollout_that_cannot_be_is_refused(hub, call, model, boxes, body, status, said):
    answer = rolled(call, **body) if "stages" not in body else rolled(call, stages=body["stages"])
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]
