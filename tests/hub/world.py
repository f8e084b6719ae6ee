"""Messages, sites and clocks that the hub's tests share."""

import dataclasses
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import msgspec
import pytest

from hub.alerts.alert import Surroundings, taken
from hub.config import HubConfig
from hub.evidence.store import Vault
from hub.grid import store as grid_store
from hub.grid.places import Places
from hub.inbox import Received
from hub.pipeline import Site
from hub.store import from_ms, to_ms
from wire.alert import Alert, AlertState
from wire.status import Birth, CameraBirth, CameraHealth, Health, State, VehicleBirth
from wire.track import VALID, Track, TrackPoint

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
EPOCH = "0123456789abcdef"
LAT, LON = 32.72, 109.02


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def undone(store, act):
    """Do something in a transaction that fails afterwards."""

    def fail(tx):
        act(tx)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), store.write() as tx:
        fail(tx)


def ms(at):
    return to_ms(at)


def received(message, at=None, dev=None):
    at = at or from_ms(getattr(message, "ts", 0) or to_ms(NOON))
    return Received(dev or message.dev, message, msgspec.json.encode(message), at)


def alert_message(seq=0, **changes):
    at = changes.pop("at", NOON)
    fields = {
        "dev": "cam-1",
        "epoch": EPOCH,
        "seq": seq,
        "ts": ms(at),
        "tq": 1,
        "alert": "a-1",
        "state": AlertState.NEW,
        "source": "gate",
        "label": "garbage",
        "since": ms(at) - 60_000,
        "lat": LAT,
        "lon": LON,
        "score": 0.8,
    }
    return Alert(**(fields | changes))


def known_alert(**changes):
    """A stored alert of the default message, with fields of the record changed."""
    made = taken(None, received(alert_message()), Surroundings())
    return dataclasses.replace(made, **changes)


def track_message(first=0, count=5, **changes):
    """`count` fixes a second apart, going east."""
    at = changes.pop("at", NOON)
    step_s = changes.pop("step_s", 1)
    lon, lat, flags = changes.pop("lon", LON), changes.pop("lat", LAT), changes.pop("flags", VALID)
    fixes = [
        TrackPoint(first + i, ms(at) + i * step_s * 1000, lon + i * 1e-4, lat, 30.0, 90.0, flags)
        for i in range(count)
    ]
    fields = {
        "dev": "car-1",
        "epoch": EPOCH,
        "seq": first,
        "ts": fixes[-1].ts,
        "tq": 2,
        "vehicle": "v1",
        "fixes": fixes,
    }
    return Track(**(fields | changes))


def told_in(piece):
    """The events of a piece of the stream."""
    fields = [
        dict(line.partition(": ")[::2] for line in block.splitlines())
        for block in piece.decode().split("\r\n\r\n")
        if block
    ]
    return [SimpleNamespace(**{"id": None, **each}) for each in fields]


def birth(dev="cam-1", session=1, **changes):
    fields = {
        "dev": dev,
        "epoch": EPOCH,
        "session": session,
        "ts": ms(NOON),
        "agent": "test",
        "cameras": [CameraBirth(id="gate", name="North gate", lat=LAT, lon=LON)],
        "vehicles": [VehicleBirth(id="v1", plate="陕G·00001", kind="spoil_truck")],
    }
    return Birth(**(fields | changes))


def state(online=True, session=1, dev="cam-1", epoch=EPOCH):
    return State(dev=dev, online=online, epoch=epoch, session=session, ts=ms(NOON))


def health(camera_state, since=NOON, dev="cam-1"):
    camera = CameraHealth(id="gate", state=camera_state, since=ms(since), frames=7)
    return Health(dev=dev, ts=ms(since), outbox_depth={"alert": 2}, cameras=[camera])


def square(code, x, y, size, level, parent=None, **properties):
    ring = [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]
    own = {"code": code, "name": f"grid {code}", "level": level, "parent": parent}
    return {
        "type": "Feature",
        "properties": own | properties,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def grid_document():
    """A city of 0.2 degrees in four quarters; (LAT, LON) lies in q01."""
    city = square("city", 109.0, 32.6, 0.2, 1)
    quarters = [
        square(f"q{i}{j}", 109.0 + 0.1 * i, 32.6 + 0.1 * j, 0.1, 2, "city", synthetic=True)
        for i in (0, 1)
        for j in (0, 1)
    ]
    return {"type": "FeatureCollection", "features": [city, *quarters]}


UNPROVED = {"photos": "optional", "check": "optional", "look": False}
"""Cases go their way on people's word; `proof={}` is the rule of the street."""


def make_site(store, folder, **settings):
    given = {"data_dir": folder, "case_prefix": "AK", "proof": UNPROVED, **settings}
    config = HubConfig.model_validate(given)
    with store.write() as tx:
        grid_store.bring_in(tx, grid_document(), at=NOON, actor="test", source="test")
    places = Places()
    grid_store.load(store, places)
    return Site(config, places, Vault(folder / "evidence"))
