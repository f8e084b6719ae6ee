"""Commands of the hub: once, in time, and never silently."""

import threading

import pytest

from edge.orders import OrderDesk, OrderFailed
from wire.command import Command, CommandState

NOW = 1_790_000_000_000


class Bell:
    """An operation that counts."""

    def __init__(self):
        self.rung = []

    def __call__(self, name, arguments):
        self.rung.append((name, arguments))
        if name == "crack":
            raise OrderFailed("it is cracked")
        if name == "explode":
            raise KeyError("bell")
        return {"sound": "dong" * arguments.get("times", 1)}


@pytest.fixture
def bell():
    return Bell()


@pytest.fixture
def clock():
    return [NOW]


@pytest.fixture
def open_desk(tmp_path, bell, clock):
    opened = []

    def desk():
        opened.append(OrderDesk(tmp_path / "orders.db", "box-1", lambda: clock[0], {"bell": bell}))
        return opened[-1]

    yield desk
    for each in opened:
        each.close()


def command(op="bell.ring", name="c-1", exp=NOW + 1000, **args):
    return Command(dev="box-1", id=name, op=op, args=args, exp=exp)


@pytest.mark.parametrize(
    ("given", "st", "why"),
    [
        (command(), CommandState.DONE, ""),
        (command("bell.crack"), CommandState.FAILED, "it is cracked"),
        (command("bell.explode"), CommandState.FAILED, "KeyError: 'bell'"),
        (command("gong.ring"), CommandState.UNKNOWN, "'gong.ring' is not known here; groups"),
        (command(exp=NOW - 1), CommandState.EXPIRED, ""),
        (command(times=20_000), CommandState.DONE, "too long"),
    ],
)
def test_what_becomes_of_a_command(open_desk, bell, given, st, why):
    reply = open_desk().take(given)
    assert (reply.id, reply.st) == ("c-1", st)
    assert why in reply.why
    assert len(bell.rung) == (st in {CommandState.DONE, CommandState.FAILED})


def test_a_repeat_gets_the_same_reply_though_the_program_was_started_again(open_desk, bell, clock):
    first = open_desk().take(command(times=2))
    clock[0] += 3_600_000
    assert open_desk().take(command(times=2)) == first
    assert len(bell.rung) == 1
    clock[0] += 86_400_001
    assert open_desk().take(command()).st == CommandState.EXPIRED


def test_a_command_under_way_is_not_begun_twice(open_desk, bell):
    desk, begun, may_end = open_desk(), threading.Event(), threading.Event()

    def slow(_name, _arguments):
        begun.set()
        may_end.wait(5)
        return {}

    desk.operations["slow"] = slow
    replies = []
    thread = threading.Thread(target=lambda: replies.append(desk.take(command("slow.walk"))))
    thread.start()
    begun.wait(5)
    assert desk.take(command("slow.walk")).st == CommandState.ACCEPTED
    may_end.set()
    thread.join(5)
    assert [reply.st for reply in replies] == [CommandState.DONE]
