"""The contract of every verb: arguments → status, keys of the lines, nothing else on stdout."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
import pytest

from tests.edge.gps.jt808.reports import frame, report
from tests.edge.gps.lines import gga, rmc
from tests.hub.grid.shapes import collection, feature, square
from tianyan.cli import VERBS, main

TIANYAN = [sys.executable, "-m", "tianyan.cli"]

FIX = {"kind", "at", "lat", "lon", "speed_kmh", "heading_deg", "alt_m", "satellites"}
MESSAGE = {"kind", "msg_id", "version", "phone", "serial", "positions"}
POSITION = {
    "lat", "lon", "alt_m", "speed_kmh", "heading_deg", "at", "valid", "acc", "load", "alarm",
    "status", "mileage_km", "items",
}  # fmt: skip
SCORE = {
    "label", "images", "instances", "precision", "recall", "ap", "present_recall",
    "present_false_alarm",
}  # fmt: skip
BOX = {"label", "score", "x", "y", "w", "h"}
ALERT = {"kind", "state", "label", "at", "since", "t_s", "zone", "score", "boxes", "evidence"}


class Ran(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Verb = Callable[..., Ran]


@pytest.fixture
def tianyan(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Verb:
    """Run a verb in this process, the bytes given on its stdin."""

    def run(*words: object, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capsys.readouterr()
        try:
            status = main([str(word) for word in words])
        except SystemExit as stop:
            status = int(stop.code or 0)
        said = capsys.readouterr()
        return Ran(status, said.out, said.err)

    return run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with something of every kind, and the place where the verbs run."""
    monkeypatch.chdir(tmp_path)
    wire = frame(0x0200, report()) + b"noise" + frame(0x0002)
    (tmp_path / "log.nmea").write_bytes(rmc() + gga() + b"$GNRMC,1*00\r\n" + rmc("120001.00"))
    (tmp_path / "log.808").write_bytes(wire)
    (tmp_path / "log.hex").write_text(f"{wire[:9].hex()}\n{wire[9:].hex()}\n")
    good = collection(feature("g", square(109.0, 32.0)))
    levels = collection(
        feature("city", square(109.0, 32.0), level=1),
        feature("street", square(109.0, 32.0), level=2, parent="city"),
    )
    (tmp_path / "grids.geojson").write_text(json.dumps(good))
    (tmp_path / "levels.geojson").write_text(json.dumps(levels))
    doubled = collection(*[feature("g", square(109.0, 32.0))] * 2)
    (tmp_path / "doubled.geojson").write_text(json.dumps(doubled))
    rows = "".join(f"2026-10-01T04:{m:02d}:00Z,32.005,109.005\n" for m in range(10))
    (tmp_path / "track.csv").write_text("time_utc,lat,lon\n" + rows)
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((48, 64), 128, np.uint8))
    film(tmp_path / "short.mp4")
    (tmp_path / "empty").touch()
    (tmp_path / "rubbish").write_bytes(np.random.default_rng(1).bytes(5000))
    (tmp_path / "folder").mkdir()
    return tmp_path


def film(path: Path, seconds: int = 2) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(seconds * 5):
            picture = np.full((120, 160, 3), 90, np.uint8)
            picture[40:60, number * 3 : number * 3 + 20] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def decode(protocol: str, *more: str) -> list[str]:
    return ["gps", "decode", "--protocol", protocol, *more]


# What every verb prints --------------------------------------------------------------------------


def test_every_row_of_the_table_is_a_verb() -> None:
    assert [verb.name for verb in VERBS] == [
        "demo", "edge run", "edge check", "edge detect", "edge replay", "gps decode",
        "gps gateway", "grid check", "grid locate", "permit check", "track analyse", "model list",
        "model eval", "model bench", "model train", "model export", "model promote", "hub run",
        "hub ingest", "hub judge", "hub migrate", "hub export-dataset", "hub add-model",
        "hub add-user", "hub set-password", "hub verify-audit", "hub check", "evidence verify",
        "evidence export", "doctor",
    ]  # fmt: skip


@pytest.mark.parametrize("words", [verb.name.split() for verb in VERBS], ids=" ".join)
def test_help_of_every_verb(tianyan: Verb, words: list[str]) -> None:
    ran = tianyan(*words, "-h")
    assert ran.status == 0
    assert ran.out.startswith(f"usage: tianyan {' '.join(words)}")


def test_nmea(tianyan: Verb, here: Path) -> None:
    ran = tianyan(*decode("nmea", "log.nmea"))
    *lines, last = ran.lines
    assert (ran.status, ran.err) == (0, "")
    assert [line["kind"] for line in lines] == ["refused", "fix", "fix"]
    assert set(lines[0]) == {"kind", "reason", "offset", "raw"}
    assert set(lines[1]) >= FIX
    counts = {"sentences": 4, "checksum_ok": 3, "fixes": 2, "refused": 1}
    assert last["summary"].items() >= counts.items()
    assert tianyan(*decode("nmea", "-"), stdin=(here / "log.nmea").read_bytes()) == ran


@pytest.mark.parametrize("words", [["log.808"], ["--hex", "log.hex"]], ids=" ".join)
def test_jt808(tianyan: Verb, here: Path, words: list[str]) -> None:
    ran = tianyan(*decode("jt808", *words))
    located, noise, alive, last = ran.lines
    assert (ran.status, ran.err) == (0, "")
    assert set(located) >= MESSAGE
    assert (located["msg_id"], located["version"], alive["msg_id"]) == (0x0200, "2013", 0x0002)
    (position,) = located["positions"]
    assert set(position) >= POSITION
    assert alive["positions"] == []
    assert (noise["kind"], noise["raw"]) == ("refused", b"noise".hex())
    assert list(last) == ["summary"]
    assert tianyan(*decode("jt808", *words[:-1], "-"), stdin=Path(words[-1]).read_bytes()) == ran


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("file", "status", "problems"),
    [
        ("grids.geojson", 0, []),
        ("levels.geojson", 0, []),
        ("doubled.geojson", 1, ["duplicate_code"]),
        ("empty", 1, ["not_json"]),
        ("rubbish", 1, ["not_utf8"]),
    ],
)
def test_grid_check(tianyan: Verb, file: str, status: int, problems: list[str]) -> None:
    ran = tianyan("grid", "check", file)
    assert (ran.status, ran.err) == (status, "")
    assert [line["problem"] for line in ran.lines] == problems


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("grids", "table", "status", "out", "said"),
    [
        (
            "grids.geojson",
            "lat,lon\n32.005,109.005\n31,109\n",
            0,
            "lat,lon,grid\n32.005,109.005,g\n31,109,\n",
            "",
        ),
        (
            "levels.geojson",
            'id,lat,lon\n"a,b",32.005,109.005\n',
            0,
            'id,lat,lon,level1,level2\n"a,b",32.005,109.005,city,street\n',
            "",
        ),
        (
            "grids.geojson",
            "lat,lon\n109.005,32.005\n",
            1,
            "lat,lon,grid\n109.005,32.005,\n",
            "line 2: lat '109.005' is not allowed (-90 to 90)\n",
        ),
        (
            "grids.geojson",
            "latitude,lon\n1,2\n",
            2,
            "",
            "tianyan: line 1: no column 'lat' (columns: latitude, lon)\n",
        ),
    ],
)
def test_grid_locate(
    tianyan: Verb, grids: str, table: str, status: int, out: str, said: str
) -> None:
    ran = tianyan("grid", "locate", "--grids", grids, stdin=table.encode())
    assert ran == (status, out, said)


@pytest.mark.usefixtures("here")
def test_track_analyse(tianyan: Verb) -> None:
    ran = tianyan("track", "analyse", "track.csv", "--grids", "grids.geojson")
    enter, stop, summary = ran.lines
    assert (ran.status, ran.err) == (0, "")
    assert enter == {"type": "enter", "grid": "g", "at": "2026-10-01T04:00:00Z"}
    assert set(stop) >= {"type", "start", "end", "lat", "lon"}
    assert (stop["type"], summary["type"]) == ("stop", "summary")


@pytest.mark.usefixtures("here")
def test_edge_detect(tianyan: Verb) -> None:
    ran = tianyan("edge", "detect", "grey.png", "--conf", "0.001")
    (line,) = ran.lines
    assert (ran.status, ran.err) == (0, "")
    assert list(line) == ["path", "width", "height", "ms", "boxes"]
    assert (line["path"], line["width"], line["height"]) == ("grey.png", 64, 48)
    for box in line["boxes"]:
        assert set(box) == BOX
        assert 0 <= box["x"] <= box["x"] + box["w"] <= 1.0001


@pytest.mark.usefixtures("here")
def test_a_picture_that_cannot_be_read_leaves_the_others(tianyan: Verb) -> None:
    ran = tianyan("edge", "detect", "rubbish", "grey.png", "absent.jpg")
    assert ran.status == 1
    assert ["error" in line for line in ran.lines] == [True, False, True]
    assert all(line["path"] in line["error"] for line in ran.lines if "error" in line)


@pytest.mark.usefixtures("here")
def test_edge_replay(tianyan: Verb) -> None:
    words = ("edge", "replay", "short.mp4", "--start", "2026-10-01T08:00:00+08:00", "--dwell", "1")
    first, again = tianyan(*words), tianyan(*words)
    *alerts, last = first.lines
    assert first.status == 0
    assert set(last["summary"]) >= {"frames", "analysed", "seconds", "cpu_s", "alerts"}
    assert all(set(alert) >= ALERT for alert in alerts)
    assert again.lines[:-1] == alerts


@pytest.mark.usefixtures("here")
def test_model_list_and_eval(tianyan: Verb, tmp_path: Path) -> None:
    for folder in ("images/val", "labels/val"):
        (tmp_path / folder).mkdir(parents=True)
    cv2.imwrite("images/val/a.jpg", np.full((64, 64, 3), 90, np.uint8))
    Path("labels/val/a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    Path("data.yaml").write_text("path: .\nval: images/val\nnames: [garbage, street_vending]\n")
    listed = tianyan("model", "list")
    assert listed.status == 0
    assert "street-n" in [line["model"] for line in listed.lines]
    scored = tianyan("model", "eval", "data.yaml", "--split", "val", "--iou", "0.3")
    *lines, last = scored.lines
    assert scored.status == 0
    assert {line["label"] for line in lines} == {"garbage", "street_vending"}
    assert all(set(line) >= SCORE for line in lines)
    assert last["summary"]["pictures"] == 1


def test_doctor(tianyan: Verb) -> None:
    ran = tianyan("doctor")
    wrong = [line for line in ran.lines if line["needed"] and not line["ok"]]
    assert ran.status == (1 if wrong else 0)
    assert all(line["mend"] for line in wrong)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("side", ["edge", "hub"])
@pytest.mark.parametrize("file", ["absent.yaml", "folder", "empty", "rubbish"])
def test_check_names_file_and_error(tianyan: Verb, side: str, file: str) -> None:
    ran = tianyan(side, "check", file)
    assert (ran.status, ran.err) == (2, "")
    assert [line["file"] for line in ran.lines] == [file] * len(ran.lines)
    assert all(line["error"] for line in ran.lines)
    assert ran.lines


# What is refused ---------------------------------------------------------------------------------

LOCATE = ["grid", "locate", "--grids"]
ANALYSE = ["track", "analyse"]
DETECT = ["edge", "detect", "grey.png"]
REPLAY = ["edge", "replay"]
EVAL = ["model", "eval"]

REFUSED: Sequence[tuple[list[str], str]] = [
    ([], "VERB"),
    (["fly"], "'fly'"),
    (["gps"], "VERB"),
    (["gps", "decode", "log.nmea"], "--protocol"),
    (decode("ais", "log.nmea"), "'ais'"),
    (decode("nmea", "log.nmea", "--fast"), "--fast"),
    (decode("nmea", "log.nmea", "--received-at", "today"), "'today' is no time"),
    *((decode(protocol, file), f"{file}: ") for protocol in ("nmea", "jt808")
      for file in ("absent", "folder")),
    (["grid", "check", "absent"], "absent: No such file"),
    (["grid", "check", "folder"], "folder: Is a directory"),
    ([*LOCATE, "absent"], "absent: No such file"),
    ([*LOCATE, "rubbish"], "rubbish: byte 0 is not UTF-8"),
    ([*LOCATE, "doubled.geojson"], "code 'g' is also that of features[0]"),
    ([*LOCATE, "grids.geojson"], "line 1: no column 'lat'"),
    ([*ANALYSE, "absent"], "absent: No such file"),
    ([*ANALYSE, "folder"], "folder: Is a directory"),
    ([*ANALYSE, "empty"], "no column 'time_utc'"),
    ([*ANALYSE, "track.csv", "--grids", "absent"], "absent: No such file"),
    ([*ANALYSE, "track.csv", "--sites", "empty"], "empty: not JSON"),
    ([*ANALYSE, "track.csv", "--tz", "Ankang"], "tz 'Ankang'"),
    ([*DETECT, "--model", "street-x"], "model 'street-x' is not known"),
    ([*DETECT, "--conf", "2"], "conf: 2.0"),
    ([*DETECT, "--conf", "nan"], "conf: nan"),
    ([*DETECT, "--conf", "high"], "'high'"),
    ([*REPLAY, "absent.mp4"], "absent.mp4: no such file"),
    ([*REPLAY, "folder"], "folder: holds no picture"),
    ([*REPLAY, "empty"], "empty: is empty (0 bytes)"),
    ([*REPLAY, "rubbish"], "rubbish: is not a video"),
    ([*REPLAY, "grey.png"], "not a video"),
    ([*REPLAY, "rtsp://127.0.0.1/live"], "'rtsp://127.0.0.1/live' is no recording"),
    ([*REPLAY, "short.mp4", "--model", "street-x"], "model 'street-x' is not known"),
    ([*REPLAY, "short.mp4", "--camera", "absent"], "absent: cannot be read"),
    ([*REPLAY, "short.mp4", "--start", "2026-10-01T08:00:00"], "needs an offset"),
    ([*REPLAY, "short.mp4", "--start", "today"], "'today' is no time"),
    *(([*REPLAY, "short.mp4", "--dwell", dwell], f"'{dwell}' is no number of seconds")
      for dwell in ("-1", "0", "nan", "inf", "long")),
    ([*REPLAY, "short.mp4", "--evidence", "empty"], "empty: File exists"),
    ([*EVAL, "absent"], "absent: No such file"),
    ([*EVAL, "rubbish"], "rubbish: not text in UTF-8"),
    ([*EVAL, "empty"], "empty: not a data set"),
]  # fmt: skip


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("words", "said"), REFUSED, ids=lambda value: "")
def test_what_is_refused_is_named_on_stderr(tianyan: Verb, words: list[str], said: str) -> None:
    ran = tianyan(*words)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


# The process -------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["nmea", "jt808"])
@pytest.mark.parametrize("data", [b"", bytes(5000), b"\xff" * 5000, b"$" * 5000, b"\x7e" * 5000])
def test_any_bytes_end_in_a_summary(tianyan: Verb, protocol: str, data: bytes) -> None:
    ran = tianyan(*decode(protocol, "-"), stdin=data)
    assert (ran.status, ran.err) == (0, "")
    assert list(ran.lines[-1]) == ["summary"]


def process(words: list[str], **more: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*TIANYAN, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
    )


@pytest.mark.parametrize(
    "words",
    [decode("nmea", "many.nmea"), [*LOCATE, "grids.geojson"], [*ANALYSE, "many.csv"]],
    ids=lambda words: words[1],
)
def test_a_reader_that_leaves_early_is_no_failure(here: Path, words: list[str]) -> None:
    seconds = range(20_000)
    (here / "many.nmea").write_bytes(b"".join(
        rmc(f"{s // 3600:02d}{s // 60 % 60:02d}{s % 60:02d}.00") for s in seconds))  # fmt: skip
    rows = (f"2026-10-{1 + s // 80:02d}T{s % 80 * 15 // 60:02d}:00:00Z,32.{s % 9},109.{s % 9}"
            for s in range(2400))  # fmt: skip
    (here / "many.csv").write_text("time_utc,lat,lon\n" + "\n".join(rows))
    table = here / "many.txt"
    table.write_text("lat,lon\n" + "32.005,109.005\n" * 100_000)
    with table.open("rb") as stdin, process(words, stdin=stdin) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


def test_bytes_that_trickle_in_are_told_as_they_come(here: Path) -> None:
    data = (here / "log.nmea").read_bytes()
    with process(decode("nmea", "-"), stdin=subprocess.PIPE, bufsize=0) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        for byte in data:
            running.stdin.write(bytes([byte]))
        assert json.loads(running.stdout.readline())["kind"] in {"fix", "refused"}
        running.stdin.close()
        *_, last = running.stdout.read().splitlines()
    assert json.loads(last)["summary"]["fixes"] == 2


def test_interrupted_it_leaves_quietly() -> None:
    with process(decode("nmea", "-"), stdin=subprocess.PIPE, bufsize=0) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(b"$GNRMC,1*00\r\n")
        running.stdout.readline()
        running.send_signal(signal.SIGINT)
        said = running.stderr.read() if running.stderr else b""
        running.stdin.close()
    assert (running.returncode, said) == (130, b"")


@pytest.mark.parametrize(
    "environment",
    [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"TZ": "America/New_York"}],
    ids=lambda environment: next(iter(environment)),
)
def test_neither_locale_nor_time_zone_changes_the_lines(
    here: Path, environment: dict[str, str]
) -> None:
    name = "网格.geojson"
    (here / name).write_text((here / "doubled.geojson").read_text().replace('"g"', '"东大街"'))
    environment = os.environ | environment
    for words, status in ((["grid", "check", name], 1), ([*ANALYSE, "track.csv"], 0)):
        plain = subprocess.run([*TIANYAN, *words], capture_output=True, check=False)
        other = subprocess.run(
            [*TIANYAN, *words], capture_output=True, check=False, env=environment
        )
        assert (plain.returncode, plain.stderr) == (status, b"")
        assert other.stdout == plain.stdout
        assert other.returncode == status


def test_a_name_that_is_no_text_is_told(tianyan: Verb, here: Path) -> None:
    path = os.fsdecode(b"p\xff.png")
    (here / "grey.png").rename(path)
    done = subprocess.run([*TIANYAN, "edge", "detect", path], capture_output=True, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["path"] == path
