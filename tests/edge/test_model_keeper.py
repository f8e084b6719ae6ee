"""Models taken from a real HTTP server onto a real disk, tested, tried, kept or undone."""

import hashlib
import http.server
import json
import shutil
import threading
import time

import cv2
import numpy as np
import pytest

from edge.detect.detectors import open_detector
from edge.detect.errors import BadModel
from edge.detect.manifest import models_dir
from edge.detect.selftest import SelfTestFailed, make_self_test, open_proven
from edge.model_keeper import MOST_STARTS, ModelKeeper
from tests.hub.broker import wait_for
from tests.nets import model_folder
from wire.bundle import pack
from wire.update import ModelUpdate, UpdateState

GREY = np.full((360, 640, 3), 150, np.uint8)
BRIGHT = np.full((360, 640, 3), 230, np.uint8)


class Server:
    """Serves bundles with ranges; can cut the line, refuse addresses, or serve something else."""

    def __init__(self):
        self.files, self.asked, self.cut_after, self.status = {}, [], None, None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.headers.get("Range"))
                if outer.status:
                    self.send_error(outer.status)
                    return
                data = outer.files[self.path.strip("/")]
                asked = self.headers.get("Range")
                first = int(asked.split("=")[1].rstrip("-")) if asked else 0
                self.send_response(206 if asked else 200)
                self.send_header("Content-Length", str(len(data) - first))
                self.end_headers()
                rest = data[first:]
                if outer.cut_after is not None:
                    rest, outer.cut_after = rest[: outer.cut_after], None
                self.wfile.write(rest)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server():
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def base(tmp_path):
    return model_folder(tmp_path / "base", version="1", factors=(0.5, 0.0, 0.0, 0.0))


def bundle_of(folder):
    """Pack a model with the self-test of what it answers itself."""
    data = cv2.imencode(".jpg", GREY)[1].tobytes()
    make_self_test(open_detector(folder), [("selftest-1.jpg", data)], folder)
    target = folder.parent / f"{folder.name}.zip"
    pack(folder, target)
    return target.read_bytes()


def offered(server, data, number=1, version="2", **changes):
    name = hashlib.sha256(data).hexdigest()
    server.files[name] = data
    fields = {
        "dev": "box-1", "id": f"r{number}", "model": "street-n", "version": version,
        "url": f"{server.url}/{name}", "sha256": name, "size": len(data),
        "exp": int(time.time() * 1000) + 600_000, "trial_s": 0,
    }  # fmt: skip
    return ModelUpdate(**(fields | changes))


@pytest.fixture
def good(tmp_path):
    return bundle_of(model_folder(tmp_path / "good", version="2"))


@pytest.fixture
def keepers(tmp_path, base):
    """Keepers on one folder, one after the other as the agent is started again."""
    made = []

    def start(**more):
        for each in made:
            each.ask_to_stop()
        keeper = ModelKeeper(tmp_path / "state", str(base), open_detector, lambda: None, **more)
        keeper.start()
        made.append(keeper)
        return keeper

    yield start
    for each in made:
        each.ask_to_stop()


def look(keeper, image=GREY):
    keeper.detector.between_looks()
    return keeper.detector.detect(image)


def report(keeper):
    return keeper.state().update


def reaches(keeper, *states, image=GREY):
    """Look and tick until the update stands there."""

    def there():
        look(keeper, image)
        keeper.tick()
        return report(keeper) is not None and report(keeper).state in states

    wait_for(there, 120)
    return report(keeper)


def test_a_good_model_is_fetched_tested_tried_and_kept(keepers, server, good):
    keeper = keepers()
    (before,) = look(keeper)
    keeper.take(offered(server, good))
    reaches(keeper, UpdateState.ACTIVE)
    (after,) = look(keeper)
    assert (before.score, after.score) == (pytest.approx(0.294, abs=0.01),
                                           pytest.approx(0.53, abs=0.01))  # fmt: skip
    assert keeper.state().version == "2"
    again = keepers()
    assert look(again)[0].score == after.score
    assert (again.state().version, report(again).state) == ("2", UpdateState.ACTIVE)


def test_a_download_that_is_cut_goes_on_where_it_was(keepers, server, good, monkeypatch):
    monkeypatch.setattr("edge.model_keeper.RETRY_FIRST_S", 0.05)
    server.cut_after = 700
    keeper = keepers()
    keeper.take(offered(server, good))
    reaches(keeper, UpdateState.ACTIVE)
    assert server.asked == [None, "bytes=700-"]


def test_a_download_goes_on_after_a_restart(keepers, server, good, monkeypatch, tmp_path):
    monkeypatch.setattr("edge.model_keeper.RETRY_FIRST_S", 30)
    server.cut_after = 500
    keeper = keepers()
    keeper.take(offered(server, good))
    wait_for(lambda: [part.stat().st_size for part in tmp_path.rglob("*.part")] == [500])
    again = keepers()
    reaches(again, UpdateState.ACTIVE)
    assert server.asked == [None, "bytes=500-"]


def test_an_address_that_has_run_out_waits_for_the_next(keepers, server, good):
    keeper, update = keepers(), offered(server, good)
    server.status = 403
    keeper.take(update)
    wait_for(lambda: server.asked)
    time.sleep(0.1)
    assert report(keeper).state is UpdateState.DOWNLOADING
    server.status = None
    keeper.take(update)
    reaches(keeper, UpdateState.ACTIVE)


@pytest.mark.parametrize("wrong_by_s", [-3600, 3600])
def test_a_download_that_is_cut_goes_on_whatever_the_boxs_clock_says(
    keepers, server, good, monkeypatch, wrong_by_s
):
    monkeypatch.setattr("edge.model_keeper.RETRY_FIRST_S", 0.05)
    server.cut_after = 700
    keeper = keepers()
    keeper.take(offered(server, good, exp=int(time.time() * 1000) - wrong_by_s * 1000))
    reaches(keeper, UpdateState.ACTIVE)
    assert server.asked == [None, "bytes=700-"]


def test_a_slow_clock_does_not_keep_an_address_that_the_hub_refuses(
    keepers, server, good, monkeypatch
):
    monkeypatch.setattr("edge.model_keeper.RETRY_FIRST_S", 0.02)
    server.cut_after = 700
    keeper = keepers()
    keeper.take(offered(server, good, exp=int(time.time() * 1000) + 3_600_000))
    wait_for(lambda: server.asked)
    server.status = 403
    wait_for(lambda: len(server.asked) == 2)
    time.sleep(0.3)
    assert server.asked == [None, "bytes=700-"]
    assert report(keeper).state is UpdateState.DOWNLOADING


def corrupt(tmp_path, data):
    return data, {"sha256": "0" * 64}


def no_zip(tmp_path, data):
    return b"not a model" * 50, {}


def other_version(tmp_path, data):
    return data, {"version": "7"}


def too_few_labels(tmp_path, data):
    return bundle_of(model_folder(tmp_path / "few", version="2", factors=(0.9, 0.5))), {}


def wrong_shape(tmp_path, data):
    folder = model_folder(tmp_path / "shape", version="2")
    bundle_of(folder)
    manifest = (folder / "manifest.yaml").read_text()
    (folder / "manifest.yaml").write_text(manifest.replace("- person", "- person\n- dog"))
    target = tmp_path / "shape2.zip"
    pack(folder, target)
    return target.read_bytes(), {}


def damaged_weights(tmp_path, data):
    folder = model_folder(tmp_path / "damaged", version="2")
    bundle_of(folder)
    (folder / "street-n.onnx").write_bytes(b"\0" * 500)
    target = tmp_path / "damaged2.zip"
    pack(folder, target)
    return target.read_bytes(), {}


def answers_otherwise(tmp_path, data):
    """A net whose answers are not those it was packed with."""
    folder = model_folder(tmp_path / "odd", version="2")
    bundle_of(folder)
    test = json.loads((folder / "selftest.json").read_text())
    test["pictures"][0]["answers"][0]["score"] = 0.95
    (folder / "selftest.json").write_text(json.dumps(test))
    target = tmp_path / "odd2.zip"
    pack(folder, target)
    return target.read_bytes(), {}


def too_slow(tmp_path, data):
    folder = model_folder(tmp_path / "slow", version="2")
    bundle_of(folder)
    test = json.loads((folder / "selftest.json").read_text()) | {"longest_ms": 1e-6}
    (folder / "selftest.json").write_text(json.dumps(test))
    target = tmp_path / "slow2.zip"
    pack(folder, target)
    return target.read_bytes(), {}


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (corrupt, "SHA-256 of the bundle is"),
        (no_zip, "is no bundle of a model"),
        (other_version, "the bundle holds street-n 2, announced was street-n 7"),
        (too_few_labels, "labels: it cannot say illegal_structure, person"),
        (wrong_shape, "the output is (1, 8, 1); 5 labels"),
        (damaged_weights, "SHA-256 is"),
        (answers_otherwise, "does not see street_vending"),
        (too_slow, "a look takes"),
    ],
)
def test_a_bad_model_is_never_looked_with(keepers, server, good, tmp_path, bad, said):
    keeper = keepers()
    (before,) = look(keeper)
    data, changes = bad(tmp_path, good)
    update = offered(server, data)
    if "sha256" in changes:
        server.files[changes["sha256"]] = data
        changes["url"] = f"{server.url}/{changes['sha256']}"
    keeper.take(offered(server, data, **changes) if changes else update)
    failed = reaches(keeper, UpdateState.FAILED)
    assert said in failed.why
    assert look(keeper) == [before]
    assert keepers().state().version == "1"


@pytest.fixture
def deadly(tmp_path):
    """Passes its self-test, and fails on brighter pictures."""
    return bundle_of(model_folder(tmp_path / "deadly", version="2", dies_from=8))


def test_one_that_raises_on_the_street_falls_back_and_costs_no_look(keepers, server, deadly):
    keeper = keepers()
    expected = look(keeper, BRIGHT)
    keeper.take(offered(server, deadly, trial_s=3600))
    reaches(keeper, UpdateState.TRIAL)
    for _ in range(4):
        assert look(keeper, BRIGHT) == expected
    fell = report(keeper)
    assert fell.state is UpdateState.FELL_BACK
    assert "failed 3 looks in a row" in fell.why
    again = keepers()
    assert (again.state().version, report(again).state) == ("1", UpdateState.FELL_BACK)
    again.take(offered(server, deadly))  # said again: what failed is not tried again
    time.sleep(0.2)
    assert report(again).state is UpdateState.FELL_BACK


def test_one_that_hangs_holds_up_one_look_for_its_patience_only(tmp_path, base, server, good):
    opened, may_go = [], threading.Event()

    def opening(where):
        opened.append(where)
        return Tested(open_detector(where)) if len(opened) > 1 else open_detector(where)

    class Tested:
        """Answers the self-test, then hangs."""

        def __init__(self, real):
            self.name, self.labels, self.threshold = real.name, real.labels, real.threshold
            self._real, self._left, self.side = real, 1, real.side

        def detect(self, image, least=None):
            self._left -= 1
            if self._left < 0:
                may_go.wait(600)
            return self._real.detect(image, least)

    keeper = ModelKeeper(tmp_path / "state", str(base), opening, lambda: None, patience_s=0.3)
    keeper.start()
    expected = look(keeper)
    keeper.take(offered(server, good, trial_s=3600))
    wait_for(lambda: report(keeper) and report(keeper).state is UpdateState.TRIAL)
    assert look(keeper) == expected
    assert not may_go.is_set()
    assert "no answer within" in report(keeper).why
    assert look(keeper) == expected
    keeper.ask_to_stop()
    may_go.set()


def test_a_trial_outlives_restarts_but_not_too_many(keepers, server, good):
    keeper = keepers()
    keeper.take(offered(server, good, trial_s=3600))
    reaches(keeper, UpdateState.TRIAL)
    for _ in range(MOST_STARTS):
        keeper = keepers()
        assert look(keeper)[0].score == pytest.approx(0.53, abs=0.01)
        assert (keeper.state().version, report(keeper).state) == ("2", UpdateState.TRIAL)
    keeper = keepers()
    assert report(keeper).state is UpdateState.FELL_BACK
    assert "started 3 times" in report(keeper).why
    assert keeper.state().version == "1"


def test_without_looks_a_trial_does_not_end(keepers, server, good):
    keeper = keepers()
    keeper.take(offered(server, good))
    wait_for(lambda: report(keeper) and report(keeper).state is UpdateState.TRIAL)
    for _ in range(5):
        keeper.detector.between_looks()
        keeper.tick()
    assert report(keeper).state is UpdateState.TRIAL


def test_the_model_in_use_that_breaks_on_disk_leaves_the_configured_one(
    keepers, server, good, tmp_path
):
    keeper = keepers()
    keeper.take(offered(server, good))
    reaches(keeper, UpdateState.ACTIVE)
    (weights,) = (tmp_path / "state").glob("street-n-*/street-n.onnx")
    weights.write_bytes(b"\0")
    again = keepers()
    assert again.state().version == "1"
    assert report(again).state is UpdateState.FELL_BACK


def test_another_model_in_the_devices_file_counts(keepers, server, good, tmp_path, base):
    keeper = keepers()
    keeper.take(offered(server, good))
    reaches(keeper, UpdateState.ACTIVE)
    other = model_folder(tmp_path / "other", version="9", factors=(0.7, 0.0, 0.0, 0.0))
    again = ModelKeeper(tmp_path / "state", str(other), open_detector, lambda: None)
    assert (again.state().version, report(again)) == ("9", None)


def test_a_configured_model_that_is_not_there_stops_the_start(tmp_path):
    with pytest.raises(BadModel, match="'street-x' is not known"):
        ModelKeeper(tmp_path / "state", "street-x", open_detector, lambda: None)


def test_a_model_that_answers_wrongly_is_refused_and_another_looks(tmp_path, caplog):
    wrong = SelfTestFailed("model street-n-int8: selftest-0.jpg: does not see garbage")

    def opening(name):
        if name == "street-n-int8":
            raise wrong
        return open_detector(name)

    keeper = ModelKeeper(tmp_path / "state", "street-n-int8", opening, lambda: None)
    assert keeper.detector.name == keeper.state().name == "street-n"
    assert "model street-n-int8: selftest-0.jpg" in caplog.text


def test_nothing_looks_where_even_the_last_resort_answers_wrongly(tmp_path):
    def opening(_name):
        raise SelfTestFailed("model street-n: selftest-0.jpg: does not see garbage")

    with pytest.raises(SelfTestFailed):
        ModelKeeper(tmp_path / "state", "street-n", opening, lambda: None)


@pytest.mark.parametrize("name", ["street-n", "street-n-int8"])
def test_every_shipped_model_proves_itself_when_it_is_opened(name):
    pytest.importorskip("openvino" if name.endswith("int8") else "onnxruntime")
    assert open_proven(name).name == name


def test_a_copy_with_other_answers_is_refused_by_its_name(tmp_path):
    folder = tmp_path / "street-n"
    shutil.copytree(models_dir() / "street-n", folder)
    test = folder / "selftest.json"
    test.write_text(test.read_text().replace('"garbage"', '"person"'))
    with pytest.raises(SelfTestFailed, match="model street-n: selftest-"):
        open_proven(folder)
