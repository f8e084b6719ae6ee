"""A small fleet at once, deployed as in the field: every fix confirmed is in the hub's database."""

import asyncio
import resource
import sqlite3
import time
from contextlib import closing

import pytest

from edge.gps.jt808.frame import Frame, Framer, Header, encode
from tests.edge.gps.jt808.reports import report
from tests.flow.test_street_to_case import CAR, City, until
from tests.flow.test_terminal_to_map import start_gateway
from tests.servers.mosquitto import mosquitto
from tests.servers.port import free_port

TERMINALS, SECONDS = 200, 10

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def city(tmp_path):
    gateway = {"host": "127.0.0.1", "port": free_port(), "open": True}
    with mosquitto(tmp_path, {"hub": "h", "box-1": "b", CAR: "c"}) as broker:
        city = City(tmp_path, broker, {CAR: {"gateway": gateway}})
        city.gateway_port = gateway["port"]
        yield city
        city.stop()


class Driver:
    """A terminal that logs in and reports each second, one report after the other's answer."""

    def __init__(self, number: int) -> None:
        self.phone = f"0138{number:08d}"
        self.number = number
        self.confirmed = 0
        self.framer = Framer()

    async def drive(self, port: int, start_s: float) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        answer = await self.ask(0x0100, bytes(37), 0)
        assert (await self.ask(0x0102, answer.body[3:], 1)).body[4] == 0
        for n in range(SECONDS):
            at = time.strftime("%y%m%d%H%M%S", time.gmtime(start_s + n + 8 * 3600))
            body = report(lat=32.6 + n / 1e4, lon=109 + self.number / 1e3, at=at)
            assert (await self.ask(0x0200, body, n + 2)).body[4] == 0
            self.confirmed += 1
            await asyncio.sleep(max(0.0, start_s + SECONDS + n + 1 - time.time()))
        self.writer.close()

    async def ask(self, msg_id: int, body: bytes, serial: int) -> Frame:
        self.writer.write(encode(Frame(Header(msg_id, "2013", self.phone, serial), body)))
        while True:
            chunk = await asyncio.wait_for(self.reader.read(4096), 180)
            assert chunk, "the gateway hung up"
            for out in self.framer.feed(chunk):
                if isinstance(out, Frame):
                    return out


def stored(city) -> dict[str, int]:
    query = "SELECT vehicle, SUM(json_array_length(CAST(fixes AS TEXT))) FROM track_batches"
    with closing(sqlite3.connect(f"file:{city.folder}/hub.sqlite?mode=ro", uri=True)) as db:
        return dict(db.execute(f"{query} GROUP BY vehicle").fetchall())


def test_every_fix_of_a_fleet_is_in_the_database(city):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft >= 2 * TERMINALS or hard >= 2 * TERMINALS
    city.start_hub()
    start_gateway(city)
    drivers = [Driver(number) for number in range(TERMINALS)]

    async def run() -> None:
        start_s = int(time.time()) - SECONDS
        async with asyncio.TaskGroup() as group:
            for driver in drivers:
                group.create_task(driver.drive(city.gateway_port, start_s))

    asyncio.run(run())
    assert sum(driver.confirmed for driver in drivers) == TERMINALS * SECONDS
    until(lambda: sum(stored(city).values()) >= TERMINALS * SECONDS, "every fix")
    until(lambda: city.tally().waiting == 0, "the outbox to empty")
    assert set(stored(city).values()) == {SECONDS}
    assert len(stored(city)) == TERMINALS
    assert city.tally().lost == 0
    with city.api() as api:
        assert api.get("/api/vehicles?limit=1").json()["total"] == TERMINALS
