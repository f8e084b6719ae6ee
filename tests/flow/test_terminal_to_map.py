"""Real terminals' protocol in, positions at the hub's API out, whatever dies in between."""

import os
import signal
import time

import cv2
import numpy as np
import pytest

from tests.edge.gps.jt808.reports import report
from tests.edge.terminal import Terminal
from tests.flow.test_street_to_case import CAR, City, arrived, tianyan, until
from tests.servers.mosquitto import mosquitto
from tests.servers.port import free_port

GATEWAY = CAR
TERMINALS = {
    "013912344321": {"vehicle": "truck-1", "plate": "陕G·D0001"},
    "14500000002": {"vehicle": "sweeper-1", "plate": "陕G·D0002", "kind": "sanitation_vehicle"},
}

JPEG = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes()

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def city(tmp_path):
    gateway = {"host": "127.0.0.1", "port": free_port(), "terminals": TERMINALS}
    with mosquitto(tmp_path, {"hub": "h", "box-1": "b", GATEWAY: "c"}) as broker:
        city = City(tmp_path, broker, {GATEWAY: {"gateway": gateway}})
        city.gateway_port = gateway["port"]
        yield city
        city.stop()


def start_gateway(city):
    child = tianyan(city.folder, GATEWAY, "gps", "gateway", city.folder / f"{GATEWAY}.yaml")
    city.children.append(child)

    def listens():
        assert child.exit_status() is None, child.last_words(40)
        try:
            Terminal(city.gateway_port, "1").close()
        except ConnectionRefusedError:
            return False
        return True

    until(listens, "the gateway")
    return child


def report_now(lat, lon, **more):
    at = time.strftime("%y%m%d%H%M%S", time.gmtime(time.time() + 8 * 3600))
    return report(lat=lat, lon=lon, at=at, **more)


def vehicles(city):
    with city.api() as api:
        items = api.get("/api/vehicles").json()["items"]
    return {item["id"].split("/")[1]: item for item in items}


def pictures(api):
    return [each for each in api.get("/api/alerts").json()["items"] if each["evidence"]]


def photographs(api, vehicle, order):
    given = api.get(f"/api/vehicles/{GATEWAY}/{vehicle}/orders").json()["items"]
    return next(each for each in given if each["id"] == order)["evidence"]


def test_terminals_of_both_editions_are_on_the_map(city):
    start_gateway(city)
    with (
        Terminal(city.gateway_port, "13912344321", "2013") as old,
        Terminal(city.gateway_port, "14500000002", "2019") as new,
    ):
        old.log_in()
        new.log_in()
        # Confirmed although there is no hub yet.
        assert old.tell(0x0200, report_now(32.69, 109.02)) == 0
        city.start_hub()
        more = {"speed_kmh": 12.5, "status": 0b11 | 3 << 8, "alarm": 1 << 7 | 1}
        assert new.tell(0x0200, report_now(32.70, 109.03, **more)) == 0
        picture = bytes.fromhex("0000000700000201") + report_now(32.70, 109.03) + JPEG
        assert new.ask(0x0801, picture) == (0x8800, bytes.fromhex("00000007"))
        until(lambda: all(each["lat"] for each in vehicles(city).values()) and
              len(vehicles(city)) == 2, "both vehicles")  # fmt: skip
    found = vehicles(city)
    truck, sweeper = found["truck-1"], found["sweeper-1"]
    assert (truck["lat"], truck["lon"], truck["plate"]) == (32.69, 109.02, "陕G·D0001")
    assert (sweeper["kind"], sweeper["speed_kmh"]) == ("sanitation_vehicle", 12.5)
    assert truck["online"]
    with city.api() as api:
        (alert,) = until(lambda: pictures(api), "the alert with its picture")
        (file,) = until(lambda: arrived(api, alert), "the picture")
        # There is nobody in it: the original is for all.
        assert (file["sealed"], file["proof"]["state"]) == (False, "verified")
        assert api.get(file["url"]).content == JPEG
    assert (alert["label"], alert["place"], alert["level"]) == ("emergency", "vehicle", 3)
    assert "陕G·D0002" in str(alert), "who calls for help"
    assert sweeper["body"] == {
        "load": "full", "hopper_raised": None, "cover_open": None, "lift_inhibited": None,
        "locked": None, "speed_limited": None, "sensor_fault": False,
        "alarms": ["emergency", "power_low"],
    }  # fmt: skip


def test_a_killed_gateway_has_lost_nothing_it_confirmed(city):
    child = start_gateway(city)
    with Terminal(city.gateway_port, "13912344321") as terminal:
        terminal.log_in()
        for n in range(20):
            assert terminal.tell(0x0200, report_now(32.69 + n / 1e4, 109.02, alarm=n)) == 0
            time.sleep(0.06)
    os.kill(child.pid, signal.SIGKILL)
    child.wait(60)
    city.start_hub()
    start_gateway(city)
    until(lambda: (vehicles(city).get("truck-1") or {}).get("lat"), "the truck")
    until(lambda: city.tally().waiting == 0, "the outbox to empty")
    with city.api() as api:
        track = api.get(f"/api/vehicles/{GATEWAY}/truck-1/track").json()["items"]
    # Reports of one second are one fix unless their state differs: the first and the last count.
    assert track[0]["lat"] == 32.69
    assert 2 <= len(track) <= 20


CARD = (
    bytes.fromhex("0126100120000000")
    + b"\x04" + "王强".encode("gb18030")
    + b"612401".ljust(20, b"\0")
    + b"\x04" + "安康".encode("gb18030")
    + bytes.fromhex("20301231")
)  # fmt: skip


def given(api, vehicle, op, args):
    answer = api.post(f"/api/vehicles/{GATEWAY}/{vehicle}/orders", json={"op": op, "args": args})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def ended(api, order):
    found = api.get(f"/api/orders/{order}").json()
    return found if found["state"] in {"done", "failed", "unknown", "expired"} else None


def test_who_drives_and_what_is_ordered_goes_the_whole_way_through_a_cut(city):
    start_gateway(city)
    with Terminal(city.gateway_port, "13912344321") as terminal:
        terminal.log_in()
        assert terminal.tell(0x0200, report_now(32.69, 109.02)) == 0
        assert terminal.tell(0x0702, CARD) == 0
        city.start_hub()
        until(lambda: (vehicles(city).get("truck-1") or {}).get("lat"), "the truck")
        with city.api() as api:
            path = f"/api/vehicles/{GATEWAY}/truck-1"
            (card,) = until(lambda: api.get(f"{path}/drivers").json()["items"], "the driver")
            assert (card["name"], card["present"]) == ("王强", True)

            text = given(api, "truck-1", "text", {"text": "请绕行"})
            serial, msg_id, body = terminal.hear_frame()
            assert (msg_id, body[1:].decode("gb18030")) == (0x8300, "请绕行")
            terminal.say(0x0001, serial.to_bytes(2) + bytes.fromhex("830000"))
            assert until(lambda: ended(api, text), "the confirmation")["state"] == "done"

            city.network.cut()
            asked = given(api, "truck-1", "position", {})
            time.sleep(1.5)
            city.network.mend()
            serial, msg_id, _ = terminal.hear_frame()
            assert msg_id == 0x8201
            terminal.say(0x0201, serial.to_bytes(2) + report_now(32.71, 109.04))
            out = until(lambda: ended(api, asked), "the position")["out"]
            assert out["positions"][0]["lat"] == 32.71
            assert terminal.hear()[0] == 0x8001

            shot = given(api, "truck-1", "photo", {"channel": 1})
            serial, msg_id, _ = terminal.hear_frame()
            assert msg_id == 0x8801
            terminal.say(0x0805, serial.to_bytes(2) + bytes.fromhex("00 0001 00000009"))
            assert until(lambda: ended(api, shot), "the picture's number")["out"]["media_ids"] == [
                9
            ]
            assert terminal.hear()[0] == 0x8001
            picture = bytes.fromhex("0000000900000001") + report_now(32.71, 109.04) + JPEG
            assert terminal.ask(0x0801, picture) == (0x8800, bytes.fromhex("00000009"))
            (photo,) = until(lambda: photographs(api, "truck-1", shot), "the picture")
            assert photo["type"] == "image/jpeg"
            assert pictures(api) == []

            refused = given(api, "truck-1", "set_fence", {"fence": {"shape": "oval", "id": 1}})
            failed = until(lambda: ended(api, refused), "the refusal")
            assert (failed["state"], "oval" in failed["why"]) == ("failed", True)
            waits = given(api, "sweeper-1", "position", {})
            until(lambda: api.get(f"/api/orders/{waits}").json()["state"] == "accepted", "it waits")
            with Terminal(city.gateway_port, "14500000002", "2019") as late:
                late.log_in()
                serial, msg_id, _ = late.hear_frame()
                assert msg_id == 0x8201
                late.say(0x0201, serial.to_bytes(2) + report_now(32.72, 109.05))
                out = until(lambda: ended(api, waits), "the position")["out"]
                assert out["positions"][0]["lat"] == 32.72
