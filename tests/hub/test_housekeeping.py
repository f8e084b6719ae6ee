from sqlalchemy import select

from hub import events, housekeeping, pipeline, quarantine
from hub.devices.store import cameras, devices
from hub.events import Change
from hub.people.sessions import sessions
from hub.quarantine import Suspect, refused
from hub.tracks.store import batches
from tests.hub.world import NOON, after, birth, health, make_site, received, track_message


def take(store, site, name, *messages):
    with store.write() as tx:
        pipeline.take(tx, site, name, [received(message) for message in messages])


def rows(store, table):
    with store.read() as tx:
        return tx.execute(select(table)).all()


def suspect(number, device="cam-1", at=NOON):
    return Suspect(at, f"ty/v1/{device}/up/alert", device, "E_JSON", "bad", b"%d" % number)


def test_a_device_that_fell_silent_is_offline_until_it_speaks(store, site):
    take(store, site, "birth", birth())
    take(store, site, "health", health("ok", after(1)))

    housekeeping.find_silent(store, NOON, after(200))
    assert rows(store, devices)[0].online is True
    housekeeping.find_silent(store, after(100), after(200))
    assert rows(store, devices)[0].online is False
    assert rows(store, cameras)[0].state == "unreachable"

    take(store, site, "health", health("ok", after(300)))
    assert rows(store, devices)[0].online is True
    assert rows(store, cameras)[0].state == "ok"


def test_one_device_cannot_fill_the_quarantine(store, tmp_path):
    bounds = make_site(store, tmp_path, quarantine={"max_rows_per_device": 3}).config.quarantine
    with store.write() as tx:
        quarantine.keep(tx, [suspect(i) for i in range(5)], bounds)
        quarantine.keep(tx, [suspect(9, "cam-2")], bounds)
        quarantine.keep(tx, [suspect(5)], bounds)
    kept = [(row.device, bytes(row.raw)) for row in rows(store, refused)]
    assert kept == [("cam-1", b"3"), ("cam-1", b"4"), ("cam-2", b"9"), ("cam-1", b"5")]


def test_only_the_beginning_of_a_large_message_is_kept(store, site):
    large = Suspect(NOON, "t" * 300, "cam-1", "E_SIZE", "m" * 900, b"x" * 100_000)
    with store.write() as tx:
        quarantine.keep(tx, [large], site.config.quarantine)
    (row,) = rows(store, refused)
    assert (row.size, len(row.raw), len(row.topic), len(row.message)) == (100_000, 65_536, 200, 500)


def test_a_sweep_brings_all_within_bounds(store, tmp_path):
    site = make_site(
        store,
        tmp_path,
        quarantine={"max_rows": 2, "keep_days": 1},
        retention={"track_days": 1, "event_rows": 100},
    )
    take(store, site, "track", track_message(0, 2), track_message(2, 1, at=after(90_000)))
    old, new = NOON, after(86_400 * 1.5)
    with store.write() as tx:
        quarantine.keep(tx, [suspect(i, at=old) for i in range(2)], site.config.quarantine)
        quarantine.keep(tx, [suspect(i, at=new) for i in (2, 3, 4)], site.config.quarantine)
        events.record(tx, [Change("alert", str(i)) for i in range(300)], NOON)
        for name, end in (("over", old), ("open", after(90_000 * 2))):
            tx.execute(
                sessions.insert().values(
                    hash=name,
                    kind="user",
                    name="li",
                    opened_at=old,
                    seen_at=end,
                    expires_at=end,
                    address="",
                    agent="",
                )
            )

    housekeeping.sweep(store, site, new)

    assert [bytes(row.raw) for row in rows(store, refused)] == [b"3", b"4"]
    assert len(rows(store, events.events)) == 100
    assert [row.hash for row in rows(store, sessions)] == ["open"]
    assert [row.first for row in rows(store, batches)] == [2]
