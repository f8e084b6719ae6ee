import json
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx2
import pytest
import yaml

from hub import commands, pipeline
from hub.errors import BadConfig, HubError
from hub.store import Store
from hub.tracks import judged_store
from tests.hub.broker import wait_for
from tests.hub.world import birth, grid_document, make_site, received, track_message
from tests.servers.port import free_port


def write(tmp_path, **document):
    (tmp_path / "grids.geojson").write_text(json.dumps(grid_document()))
    path = tmp_path / "hub.yaml"
    settings = {
        "data_dir": "data",
        "listen": {"port": 0},
        "broker": {"port": free_port()},
        "grids": ["grids.geojson"],
    }
    path.write_text(yaml.safe_dump(settings | document))
    return path


def test_check_names_every_fault(tmp_path):
    assert commands.check(write(tmp_path)) == []
    assert commands.check(write(tmp_path, enrol="x", surprise=1)) == [
        "enrol: Input should be 'open' or 'listed' (got 'x')",
        commands.check(write(tmp_path, surprise=1))[0],
    ]


def test_check_reads_the_grids(tmp_path):
    path = write(tmp_path)
    document = grid_document()
    document["features"][1]["geometry"]["coordinates"][0][1] = [109.3, 32.6]
    (tmp_path / "grids.geojson").write_text(json.dumps(document))
    assert any(error.startswith("grids.0: ") for error in commands.check(path))


def test_migrate_makes_the_schema_and_the_folder(tmp_path):
    assert commands.migrate(write(tmp_path)) == 0
    store = Store(f"sqlite:///{tmp_path / 'data' / 'hub.sqlite'}")
    assert store.revision() == store.check_schema()[1]
    store.close()
    assert commands.verify_audit(tmp_path / "hub.yaml") == []


def test_bad_grids_stop_the_start(tmp_path):
    path = write(tmp_path)
    (tmp_path / "grids.geojson").write_text('{"type": "Point"}')
    with pytest.raises(HubError, match="not a FeatureCollection"):
        commands.run(path)


def test_a_taken_port_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(HubError, match=rf"127\.0\.0\.1:{port} cannot be used"):
            commands.run(write(tmp_path, listen={"port": port}))


def test_a_missing_password_file_stops_the_start(tmp_path):
    with pytest.raises(BadConfig, match=r"broker\.password_file"):
        commands.run(write(tmp_path, broker={"password_file": "none"}))


def test_a_member_needs_the_schema(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(HubError, match="tianyan hub migrate"):
        commands.ingest(write(tmp_path))


def test_one_process_judges_vehicles_not_two(tmp_path):
    path = write(tmp_path)
    commands.migrate(path)
    with pytest.raises(HubError, match=r"vehicles\.judge is true: tianyan hub run judges already"):
        commands.judge(path)


def test_vehicles_are_judged_by_a_process_beside_the_hub(tmp_path):
    path = write(tmp_path, vehicles={"judge": False})
    commands.migrate(path)
    store = Store(f"sqlite:///{tmp_path / 'data' / 'hub.sqlite'}")
    site = make_site(store, tmp_path / "data")
    with store.write() as tx:
        pipeline.take(tx, site, "birth", [received(birth("car-1"))])
        pipeline.take(tx, site, "track", [received(track_message())])

    def waiting():
        with store.read() as tx:
            return len(judged_store.pending(tx, 10))

    def on_ready():
        wait_for(lambda: waiting() == 0)
        signal.raise_signal(signal.SIGTERM)

    assert waiting() == 1
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert commands.judge(path, on_ready) == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        store.close()


def test_a_hub_in_a_thread_serves_and_stops_with_open_streams(tmp_path):
    ready, running = threading.Event(), []

    def on_ready(hub):
        running.append(hub)
        ready.set()

    thread = threading.Thread(target=commands.run, args=(write(tmp_path), on_ready))
    thread.start()
    assert ready.wait(30)
    (hub,) = running
    token = (tmp_path / "data" / "admin-token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=hub.url, headers=headers, timeout=20) as client:
        assert client.get("/api/grids").json()["total"] == 5
        assert client.get("/healthz").json()["status"] == "degraded"  # there is no broker
        with client.stream("GET", "/api/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            began = time.monotonic()
            hub.stop()
            list(stream.iter_raw())
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - began < 8


def test_a_hub_process_ends_cleanly_when_told_and_keeps_its_token(tmp_path):
    path = write(tmp_path)
    tokens = []
    for _ in range(2):
        args = [sys.executable, "-m", "tianyan.cli", "hub", "run", str(path)]
        process = subprocess.Popen(args, stderr=subprocess.DEVNULL)
        token = tmp_path / "data" / "admin-token"
        wait_for(token.is_file, 40)
        tokens.append(token.read_text())
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    assert tokens[0] == tokens[1]


def test_an_unknown_threshold_is_named_with_what_is_allowed(tmp_path):
    path = tmp_path / "hub.yaml"
    path.write_text("data_dir: .\nvehicles: {thresholds: {idle_mn_s: 5}}\n")
    (error,) = commands.check(path)
    assert "vehicles.thresholds.idle_mn_s: unknown threshold (allowed: stop_radius_m" in error
