from datetime import timedelta

import pytest

from hub.people import attempts
from hub.people.attempts import TooOften
from tests.hub.world import after


def tried(store, at_s, name="li", address="10.0.0.1"):
    """Whether an attempt is let in; the seconds to wait when not."""
    try:
        with store.write() as tx:
            attempts.admit(tx, name, address, after(at_s))
    except TooOften as fault:
        return int(fault.headers["Retry-After"])
    return 0


def test_the_wait_grows_and_ends_with_the_right_password(store):
    assert [tried(store, 0) for _ in range(4)] == [0, 0, 0, 0]
    assert tried(store, 0) == 1
    assert tried(store, 1) == 0
    assert tried(store, 1) == 2
    assert tried(store, 3) == 0
    assert tried(store, 5) == 2
    for at_s in (7, 15, 31, 63):
        assert tried(store, at_s) == 0
    assert tried(store, 64) == 63
    # Another person from there, and the same from elsewhere, are not made to wait.
    assert tried(store, 64, name="wu") == 0
    assert tried(store, 64, address="10.0.0.2") == 0
    with store.write() as tx:
        attempts.succeeded(tx, "li", "10.0.0.1")
    assert tried(store, 64) == 0


def test_one_address_may_not_try_many_names_and_nobody_locks_another_out(store):
    assert not any(tried(store, 0, name=f"p{i}") for i in range(30))
    assert tried(store, 0, name="p99") == 1
    for i in range(40):
        wait = tried(store, 100 + 40 * i, address=f"10.1.0.{i}")
        assert wait == 0
    assert tried(store, 100 + 40 * 39, address="10.9.9.9") == 30


def test_what_was_a_day_ago_is_forgotten(store):
    for _ in range(5):
        tried(store, 0)
    with store.write() as tx:
        attempts.forget_old(tx, after(0) + timedelta(hours=25))
        assert tx.execute(attempts.attempts.select()).all() == []


@pytest.mark.parametrize("failures", [0, 3, 4, 14, 10_000])
def test_the_longest_wait_is_bounded(failures):
    wait = attempts.PATIENCE["pair"].wait(failures)
    assert timedelta(0) <= wait <= timedelta(minutes=15)
