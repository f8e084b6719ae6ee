import threading

import pytest

from hub.turns import Turns
from tests.hub.broker import wait_for


def come(turns, order, name, urgent):
    with turns.turn(urgent=urgent):
        order.append(name)


@pytest.mark.parametrize("shared", [False, True], ids=["one process", "a file"])
def test_the_urgent_go_first(tmp_path, shared):
    turns, order = Turns(tmp_path / "hub.sqlite" if shared else None), []
    with turns.turn(urgent=True):
        comers = [("slow", False), ("slow", False), ("alert", True)]
        threads = [threading.Thread(target=come, args=(turns, order, *comer)) for comer in comers]
        for thread in threads:
            thread.start()
        wait_for(lambda: turns._urgent)
    for thread in threads:
        thread.join()
    turns.close()
    assert order == ["alert", "slow", "slow"]


def test_an_alert_waits_for_one_of_another_process_not_for_its_queue(tmp_path):
    here, there = (Turns(tmp_path / "hub.sqlite") for _ in range(2))  # locks are of open files
    order = []
    with there.turn(urgent=False):
        others = [
            threading.Thread(target=come, args=(turns, order, "slow", False))
            for turns in (there, there, here)
        ]
        for each in others:
            each.start()
        alert = threading.Thread(target=come, args=(here, order, "alert", True))
        alert.start()
        wait_for(lambda: here._busy)
        assert order == []
    for each in (*others, alert):
        each.join()
    here.close()
    there.close()
    assert order == ["alert", "slow", "slow", "slow"]
