"""Every fault of a configuration at once, each naming its key, the value and what is allowed."""

import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from edge import check as module
from edge.commands import check
from edge.config import BadConfig, load_camera
from edge.detect.manifest import models_dir
from tests.edge.camera.footage import record

ZONE = {"id": "a", "polygon": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]}
PLACE = {"lat": 32.69, "lon": 109.02}


@pytest.fixture
def base(tmp_path, monkeypatch):
    """A configuration without a fault, as a dictionary."""
    monkeypatch.setattr(module, "_model_faults", lambda *_: [])
    record(tmp_path / "street.mp4", seconds=1)
    (tmp_path / "gnss.nmea").touch(mode=0o600)
    password = tmp_path / "password"
    password.write_text("geheim\n")
    password.chmod(0o600)
    (tmp_path / "key").touch(mode=0o600)
    (tmp_path / "key").write_text("geheim")
    document = {
        "device": "box-0007",
        "data_dir": "state",
        "broker": {"host": "hub.example.org", "password_file": "password"},
        "cameras": [
            {"id": "gate", "source": "street.mp4", "position": dict(PLACE), "zones": [ZONE]},
            {"id": "live", "source": "rtsp://me:geheim@10.0.0.7/street", "position": dict(PLACE)},
        ],
        "receivers": [{"id": "gnss", "vehicle": "v-1", "source": "gnss.nmea"}],
        "gateway": {
            "secret_file": "key",
            "terminals": {"013912344321": {"vehicle": "truck-1", "plate": "陕G·D0001"}},
        },
    }
    return deepcopy(document)


def faults(folder, document):
    path = folder / "edge.yaml"
    path.write_text(yaml.safe_dump(document))
    return check(path)


def test_nothing_wrong(tmp_path, base):
    assert faults(tmp_path, base) == []


def test_a_device_file_is_a_camera_file_too(tmp_path, base):
    path = tmp_path / "edge.yaml"
    base["calendar"] = {"holidays": ["2026-10-01"]}
    path.write_text(yaml.safe_dump(base))
    camera = load_camera(Path(f"{path}#gate"))
    assert (camera.id, bool(camera.calendar)) == ("gate", True)
    with pytest.raises(BadConfig, match=r"must name one camera; there are: .*#gate, .*#live"):
        load_camera(path)
    with pytest.raises(BadConfig, match=r"has no camera 'door'; there are: gate, live"):
        load_camera(Path(f"{path}#door"))
    path.write_text(yaml.safe_dump([{"id": "gate", "zones": [ZONE]}]))
    assert load_camera(path).id == "gate", "an entry of `cameras:` as it stands there"


def test_nothing_wrong_with_a_camera_that_moves(tmp_path, base):
    base["cameras"][0]["position"] = {"from": "gnss", "home": PLACE, "mount": {"bearing_deg": 90}}
    assert faults(tmp_path, base) == []
    base["cameras"][0]["ground_points"] = GROUND
    (told,) = faults(tmp_path, base)
    assert "a camera that moves changes; give position.mount" in told


def put(document, key, value):
    """Set what lies at a dotted key."""
    *path, last = key.split(".")
    for part in path:
        document = document[int(part) if isinstance(document, list) else part]
    document[int(last) if isinstance(document, list) else last] = value


GROUND = [{"x": 0.1 * i, "y": 0.5, "lat": 32.69, "lon": 109.02 + 0.0001 * i} for i in range(1, 5)]

ROWS = [
    ("device", "Box 7", "device: "),
    ("devise", "box", "devise: unknown key"),
    ("data_dir", "street.mp4/state", "street.mp4 is not a folder"),
    ("broker.prot", 1883, "broker.prot: unknown key"),
    ("broker.port", 70000, "broker.port: "),
    ("broker.password_file", "nowhere", "nowhere: cannot be read: No such file"),
    ("broker.password_file", "gnss.nmea", "gnss.nmea: is empty"),
    ("broker.ca_file", "password", "password: holds no certificate"),
    ("broker.ca_file", "nowhere", "broker.ca_file: "),
    ("cameras.0.source", "nowhere.mp4", "cameras.0.source: "),
    ("cameras.0.source", "password", "cameras.0.source: "),
    ("cameras.0.source", "rtps://10.0.0.7/street", "'rtps' is not a kind of source (rtsp://"),
    ("cameras.0.source", "usb:front", "must be usb:N"),
    ("cameras.0.source", "", "each needs a source"),
    ("cameras.0.source", ".", "holds no picture"),
    ("cameras.0.position", None, "each needs a position"),
    ("cameras.0.position.lat", 109.0, "cameras.0.position.lat: "),
    ("cameras.0.position", {"from": "gps2"}, "0.position.from: 'gps2' is not a receiver of this"),
    ("cameras.0.position", {"from": "gnss"}, "cameras.0.position.home: is needed {lat, lon}"),
    ("cameras.0.position", {"from": "gnss", "max_age": 5}, "position.max_age: unknown key (allow"),
    ("cameras.0.position", {"from": "gnss", "max_age": 5}, "from, max_age_s, home, mount"),
    ("cameras.0.position", {"from": "gnss", "max_age_s": 900}, "cameras.0.position.max_age_s: "),
    ("cameras.0.position", {"from": "gnss", "mount": {"height_m": 0}}, "mount.height_m: "),
    ("cameras.0.position", {"from": "gnss", "mount": {"tilt": 5}}, "(allowed: height_m, tilt_deg"),
    ("cameras.0.position", {"from": "gnss", "least_looks": 1}, "position.least_looks: "),
    ("cameras.0.position", {**PLACE, "lng": 109.0}, "position.lng: unknown key (allowed: lat"),
    ("cameras.0.gate", {"fpss": 5}, "cameras.0.gate: unknown key"),
    ("cameras.0.time_zone", "Asia/Ankang", "no such time zone"),
    ("cameras.0.name", "x" * 300, "cameras.0.name: 300 characters, at most 200"),
    ("cameras.0.looks_per_s", 0, "cameras.0.looks_per_s: "),
    ("cameras.0.zones.0.polygon", [[0, 0], [0.5, 0.5], [1, 1]], "in one line"),
    ("cameras.0.zones.0.polygon", [[0, 0], [1, 1], [1, 0], [0, 1]], "cross"),
    ("cameras.0.zones.0.polygon", [[0, 0], [1, 1]], "cameras.0.zones.0.polygon: "),
    ("cameras.0.zones.0.labels", ["stall"], "cameras.0.zones.0.labels.0: "),
    ("cameras.0.zones.0.polygon.1", [1.2, 0.5], "polygon.1: Value error, (1.2, 0.5) lies outside"),
    ("cameras.0.zones.0.matters", {"garbage": "99999"}, "zones.0.matters.garbage: "),
    ("cameras.0.zones.0.matters", {"garbage": "99999"}, "is no matter of GB/T 47678.5-2026"),
    (
        "cameras.0.zones.0",
        ZONE | {"labels": ["garbage"], "matters": {"street_vending": "09006"}},
        "street_vending is not among the labels garbage",
    ),
    ("cameras.0.zones.0.dwell_s", -1, "cameras.0.zones.0.dwell_s: "),
    ("cameras.0.zones.0.severity", 4, "cameras.0.zones.0.severity: "),
    (
        "cameras.0.zones.0",
        {"id": "a", "no_build": True, "labels": ["garbage"]},
        "no_build: needs illegal_structure or unknown_object among the labels, got garbage",
    ),
    ("cameras.0.zones.0.min_ground_m2", 2, "zones.0.min_ground_m2: 2 m² in zone 'a', but"),
    (
        "cameras.0.zones.0.allowed_hours",
        [{"from": "25:00", "until": "08:00"}],
        "zones.0.allowed_hours.0.from: ",
    ),
    (
        "cameras.0.zones.0.allowed_hours",
        [{"from": "05:00", "until": "08:00", "days": ["monday"]}],
        "zones.0.allowed_hours.0.days.0: ",
    ),
    (
        "cameras.0.zones.0.allowed_hours",
        [{"from": "05:00", "until": "08:00", "days": ["workdays"]}],
        "cameras.0.zones.0: zone 'a' goes by workdays, but there is no calendar",
    ),
    (
        "cameras.0.zones.0.permits",
        [{"number": "1", "holder": "w", "valid_from": "2026-05-02", "valid_until": "2026-05-01"}],
        "valid_until 2026-05-01 lies before valid_from 2026-05-02",
    ),
    (
        "cameras.0.zones.0.permits",
        [{"number": "1", "valid_from": "2026-05-01", "valid_until": "2026-05-01"}],
        "zones.0.permits.0.holder: is needed",
    ),
    ("cameras.0.zones", [ZONE | {"id": f"z{i}"} for i in range(33)], "at most 32 items"),
    ("cameras.0.zones", [ZONE, ZONE], "zones: each id once"),
    ("calendar", {"holidays": ["2026-02-30"]}, "calendar.holidays.0"),
    (
        "calendar",
        {"holidays": ["2026-10-10"], "workdays": ["2026-10-10"]},
        "2026-10-10 is listed as a holiday and as a workday",
    ),
    ("cameras.0.ground_points", GROUND[:3], "3 given, 4 or more needed"),
    ("cameras.0.ground_points", GROUND, "cameras.0.ground_points: "),
    ("cameras.1.id", "gate", "each id once"),
    ("receivers.0.source", "bluetooth:x", "receivers.0.source: "),
    ("receivers.0.source", "nowhere.nmea", "nowhere.nmea: no such file"),
    ("receivers.0.source", "serial:/dev/ttyUSB77", "/dev/ttyUSB77: no such device"),
    ("receivers.0.vehicle", "", "receivers.0.vehicle: is empty"),
    ("receivers.0.kind", "tank", "receivers.0.kind: "),
    ("receivers.0.id", "gateway", "each id once"),
    ("gateway.port", 0, "gateway.port: "),
    ("gateway.alerts", ["emergency", "boredom"], "gateway.alerts.1: Value error, is not one of"),
    ("gateway.terminals.013912344321.profile", "maker-c", "'maker-c' is not one of standard"),
    ("gateway.host", "street.example", "gateway.host: 'street.example' is no address"),
    ("gateway.login_s", 0, "gateway.login_s: "),
    ("gateway.hots", "0.0.0.0", "gateway.hots: unknown key"),
    ("gateway.secret_file", "nowhere", "gateway.secret_file: "),
    ("gateway.secret_file", "gnss.nmea", "gnss.nmea: is empty"),
    ("gateway.terminals", {}, "at least one is needed, or `open: true`"),
    ("gateway.terminals", {13912344321: {"vehicle": "t"}}, "gateway.terminals.13912344321: Value"),
    ("gateway.terminals", {"+86 139": {"vehicle": "t"}}, "gateway.terminals.+86 139: Value error"),
    ("gateway.terminals", {"1": {"vehicle": "t"}, "01": {"vehicle": "u"}}, "once: terminal '1'"),
    ("gateway.terminals", {"1": {"vehicle": "t"}, "2": {"vehicle": "t"}}, "once: vehicle 't'"),
    ("gateway.terminals.013912344321.vehicle", "", "gateway.terminals.013912344321.vehicle: "),
    ("gateway.terminals.013912344321.kind", "tank", "gateway.terminals.013912344321.kind: "),
]


@pytest.mark.parametrize(("key", "value", "told"), ROWS, ids=[f"{r[0]}={r[1]!s:.20}" for r in ROWS])
def test_one_fault(tmp_path, base, key, value, told):
    put(base, key, value)
    found = faults(tmp_path, base)
    assert len(found) == 1, found
    assert told in found[0]
    assert "geheim" not in str(found)


def test_a_password_that_everybody_may_read(tmp_path, base):
    (tmp_path / "password").chmod(0o644)
    (fault,) = faults(tmp_path, base)
    assert "mode 0644" in fault
    assert "chmod 600" in fault


def test_all_at_once(tmp_path, base):
    """A fault of form in one section hides none of substance in another."""
    put(base, "broker.password_file", "nowhere")
    put(base, "cameras.0.source", "nowhere.mp4")
    put(base, "cameras.1.looks_per_s", -1)
    put(base, "receivers.0.source", "nowhere.nmea")
    put(base, "gateway.secret_file", "nowhere")
    base["gateway"]["terminals"] |= {1: {"vehicle": "a"}, "x": {"vehicle": "b"}}
    base["extra"] = 1
    put(base, "cameras.0.position", None)
    found = faults(tmp_path, base)
    keys = sorted(fault.split(":")[0] for fault in found)
    assert keys == [
        "broker.password_file", "cameras.0.position", "cameras.0.source",
        "cameras.1.looks_per_s", "extra", "gateway.secret_file", "gateway.terminals.1",
        "gateway.terminals.x", "receivers.0.source",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"), [("{", "is not YAML"), ("- 1", "mapping"), ("\xff\xfe", "is not YAML")]
)
def test_a_file_that_is_no_configuration(tmp_path, text, told):
    path = tmp_path / "edge.yaml"
    path.write_bytes(text.encode("latin-1"))
    (fault,) = check(path)
    assert told in fault
    (fault,) = check(tmp_path / "nowhere.yaml")
    assert "cannot be read" in fault


def test_a_model_that_is_not_there(tmp_path):
    document = {
        "device": "box-0007",
        "data_dir": "state",
        "model": "street-xxl",
        "cameras": [{"id": "live", "source": "usb:0", "position": dict(PLACE)}],
    }
    (fault,) = faults(tmp_path, deepcopy(document))
    assert fault.startswith("model: ")
    assert "street-xxl" in fault


def test_a_model_that_answers_otherwise_than_where_it_was_made(tmp_path, monkeypatch):
    """Labels in another order fit the shape, and every stall would be a refrigerator."""
    shutil.copytree(models_dir() / "street-n", tmp_path / "models" / "street-n")
    manifest = tmp_path / "models" / "street-n" / "manifest.yaml"
    told = yaml.safe_load(manifest.read_text(encoding="utf-8"))
    manifest.write_text(yaml.safe_dump(told | {"labels": told["labels"][::-1]}), encoding="utf-8")
    monkeypatch.setenv("TIANYAN_MODELS", str(tmp_path / "models"))
    cameras = [{"id": "live", "source": "usb:0", "position": dict(PLACE)}]
    document = {"device": "box-0007", "data_dir": "state", "cameras": cameras}
    (fault,) = faults(tmp_path, document)
    assert fault.startswith("model: model street-n: selftest-0.jpg: ")


def test_a_vehicle_unit_needs_no_opencv(tmp_path, base):
    """The extra [gps] installs neither numpy nor OpenCV nor PyAV nor ONNX Runtime."""
    del base["cameras"]
    (tmp_path / "edge.yaml").write_text(yaml.safe_dump(base))
    program = (
        "import sys\n"
        "for name in ('av', 'cv2', 'numpy', 'onnxruntime'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from edge.agent import Agent\n"
        "from edge.commands import check\n"
        "from edge.config import load_edge\n"
        "path = Path(sys.argv[1])\n"
        "assert check(path) == []\n"
        "Agent(load_edge(path))\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "edge.yaml")], check=True)
