"""How many cameras a machine carries: CPU ms a stream-second of the whole agent.

    python bench/streams.py [VIDEO …] [--model street-n …] [--streams 4] [--rival YOLO11N.pt]

`tianyan edge run` reads recordings at their own pace, as cameras send them: decoding, gate,
detector, tracks, dwell, evidence, outbox and link to a local broker. Its CPU time (all threads,
all children) is taken between two health messages, with the looks it has taken by then. CPU time,
not how full the machine was: one that does other things gives the same answer, so long as the
looks kept up. A stream alone costs more than one of many, for between its looks all caches cool.
A `--dwell` longer than the run leaves out what the pictures of alerts cost.

Without recordings two drawn streets are taken (`footage.py`): `quiet`, where nothing moves, and
`busy`, where people walk all the time and every look is analysed. The plain loop beside them
(`--rival`, needs `tianyan[train]`) decodes every frame with OpenCV and asks Ultralytics once a
second, on one thread. One line of JSON a street and model. Looks fall below 1 a second in a quiet
street on purpose.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import paho.mqtt.client as mqtt
import yaml
from footage import KINDS, write_street

from tianyan.broker import HUB_USER, Broker, free_port, start_broker
from tianyan.children import spawn
from training.machine import machine
from wire.codec import decode, encode
from wire.status import HostState
from wire.topics import ROOT, host_state, up

DEVICE, PASSWORD = "bench-box", "bench"
BUDGET_S = 2 * 0.7
"""CPU seconds a second that 70 % of two cores give."""

HEALTH_TIMEOUT_S = 45.0
NAIVE = """
import sys, time, cv2, torch
from ultralytics import YOLO
torch.set_num_threads(1); cv2.setNumThreads(1)
net, capture, number, looks = YOLO(sys.argv[1]), cv2.VideoCapture(sys.argv[2]), 0, 0
while number < 25 * int(sys.argv[3]):
    read, picture = capture.read()
    if not read:
        capture = cv2.VideoCapture(sys.argv[2]); continue
    if number % 25 == 0:
        net.predict(picture, verbose=False, device="cpu"); looks += 1
        if number == 0: began = time.process_time()
    number += 1
print((time.process_time() - began) / (looks - 1))
"""


@dataclass(frozen=True)
class Run:
    """One agent: `streams` cameras judged with `model`, measured for `seconds` after `warm_s`."""

    streams: int
    model: str
    dwell_s: float
    warm_s: float
    seconds: float


@dataclass(frozen=True)
class Reading:
    """What a health message told, and the CPU time at that moment."""

    at_s: float
    cpu_s: float
    looks: int
    states: frozenset[str]


def cpu_s(pid: int) -> float:
    """CPU time of a process, its threads and its ended and running children."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(int(ticks) for ticks in stat[11:15]) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(cpu_s(int(child)) for child in children)


@contextmanager
def heard(broker: Broker) -> Iterator[tuple[Queue[Any], list[str]]]:
    """The agent's health messages and the ids of its alerts, heard as a hub hears them."""
    health: Queue[Any] = Queue()
    alerts: list[str] = []

    def take(_: Any, __: Any, message: Any) -> None:
        if message.topic == up(DEVICE, "health"):
            health.put(decode("health", message.payload))
        elif message.topic == up(DEVICE, "alert"):
            alerts.append(message.topic)

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="hub")
    client.username_pw_set(HUB_USER, PASSWORD)
    client.on_message = take
    client.connect("127.0.0.1", broker.port)
    client.subscribe(f"{ROOT}/{DEVICE}/up/#", 1)
    client.publish(host_state("hub"), encode(HostState(hub="hub", online=True)), 1, retain=True)
    client.loop_start()
    try:
        yield health, alerts
    finally:
        client.loop_stop()
        client.disconnect()


def configuration(folder: Path, port: int, videos: list[Path], run: Run) -> Path:
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o600)
    cameras = [
        {
            "id": f"camera-{number}", "source": str(videos[number % len(videos)]), "loop": True,
            "position": {"lat": 32.68, "lon": 109.02},
            "zones": [{"id": "all", "dwell_s": run.dwell_s}],
        }
        for number in range(run.streams)
    ]  # fmt: skip
    document = {
        "device": DEVICE, "data_dir": str(folder / "edge"), "model": run.model, "generated": True,
        "broker": {"port": port, "password_file": str(folder / "password")}, "cameras": cameras,
    }  # fmt: skip
    path = folder / "edge.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def agent(videos: list[Path], run: Run) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        broker = start_broker(
            folder / "broker", {HUB_USER: PASSWORD, DEVICE: PASSWORD}, free_port()
        )
        stack.callback(broker.child.stop)
        health, alerts = stack.enter_context(heard(broker))
        config = configuration(folder, broker.port, videos, run)
        args = [sys.executable, "-m", "tianyan.cli", "edge", "run", str(config)]
        child = spawn("edge", args, folder / "edge.log")
        stack.callback(child.stop)
        began_s, first = time.monotonic(), None
        while True:
            try:
                told = health.get(timeout=HEALTH_TIMEOUT_S)
            except Empty:
                raise SystemExit(f"the agent says nothing:\n{child.last_words()}") from None
            now = Reading(
                time.monotonic(), cpu_s(child.pid), sum(c.frames for c in told.cameras),
                frozenset(str(c.state) for c in told.cameras),
            )  # fmt: skip
            if first is None and now.at_s - began_s >= run.warm_s:
                first = now
            elif first is not None and now.at_s - first.at_s >= run.seconds - 1:
                return _row(first, now, run.streams, len(alerts))


def _row(first: Reading, last: Reading, streams: int, alerts: int) -> dict[str, Any]:
    stream_s = streams * (last.at_s - first.at_s)
    cost_s = (last.cpu_s - first.cpu_s) / stream_s
    return {
        "streams": streams,
        "seconds": round(last.at_s - first.at_s, 1),
        "states": sorted(last.states),
        "looks_a_stream_second": round((last.looks - first.looks) / stream_s, 2),
        "alert_messages": alerts,
        "cpu_ms_a_stream_second": round(1000 * cost_s, 1),
        "streams_on_70_percent_of_2_cores": int(BUDGET_S / cost_s),
    }


def plain_loop(weights: Path, video: Path, looks: int) -> float:
    """CPU ms a stream-second."""
    args = [sys.executable, "-c", NAIVE, str(weights), str(video), str(looks)]
    said = subprocess.run(args, capture_output=True, text=True, check=True).stdout
    return 1000 * float(said.split()[-1])


def streets(wanted: argparse.Namespace, place: Path) -> dict[str, list[Path]]:
    """Recordings by kind; what is drawn is so long that it need not begin again."""
    if wanted.videos:
        return {"given": wanted.videos}
    every_s = wanted.keyframe_every_s
    seconds = int(max(120, wanted.warm + wanted.seconds + 2 * HEALTH_TIMEOUT_S))
    return {
        kind: [write_street(place / f"{kind}.mp4", kind, keyframe_every_s=every_s, seconds=seconds)]
        for kind in wanted.street
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", type=Path, nargs="*", metavar="VIDEO")
    parser.add_argument("--model", nargs="+", default=["street-n"])
    parser.add_argument("--streams", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60, help="measured, after --warm")
    parser.add_argument("--warm", type=float, default=25, help="seconds before it is measured")
    parser.add_argument("--dwell", type=float, default=60, help="seconds until an alert")
    parser.add_argument("--street", nargs="+", default=KINDS, choices=KINDS, help="drawn ones")
    parser.add_argument("--keyframe-every-s", type=int, default=1, help="of the drawn streets")
    parser.add_argument("--rival", type=Path, metavar="FILE.pt", help="weights of the plain loop")
    parser.add_argument("--rival-looks", type=int, default=12)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        for name, videos in streets(wanted, Path(place)).items():
            rival_ms = (
                plain_loop(wanted.rival, videos[0], wanted.rival_looks) if wanted.rival else None
            )
            for model in wanted.model:
                row = agent(
                    videos,
                    Run(wanted.streams, model, wanted.dwell, wanted.warm, wanted.seconds),
                )
                line = {"street": name, "model": model, **row, "machine": machine()}
                if rival_ms is not None:
                    line["plain_loop_cpu_ms"] = round(rival_ms, 1)
                    line["times_cheaper"] = round(rival_ms / row["cpu_ms_a_stream_second"], 2)
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
