"""Commands of the hub: once, in time, and never silently."""

import queue
import threading

import pytest

from edge.orders import NotYet, OrderDesk, OrderFailed
from wire.coded import coded
from wire.command import Command, CommandState

NOW = 1_790_000_000_000
ACCEPTED, DONE, FAILED = CommandState.ACCEPTED, CommandState.DONE, CommandState.FAILED


class Bell:
    """An operation that counts."""

    def __init__(self):
        self.rung = []

    def __call__(self, name, arguments, _order=""):
        self.rung.append((name, arguments))
        if name == "crack":
            raise OrderFailed("it is cracked")
        if name == "tear":
            raise OrderFailed(coded("no_channel", "it has no such channel"))
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
def off():
    """How far the machine's clock is off, in ms."""
    return [0]


@pytest.fixture
def open_desk(tmp_path, bell, clock, off):
    opened = []

    def desk():
        path, elapsed_s = tmp_path / "orders.db", lambda: (clock[0] - NOW) / 1000 + 5
        opened.append(OrderDesk(path, "box-1", lambda: clock[0] + off[0], elapsed_s))
        opened[-1].offer("bell", bell)
        return opened[-1]

    yield desk
    for each in opened:
        each.close()


def command(op="bell.ring", name="c-1", exp=NOW + 1000, left_ms=None, **args):
    return Command(dev="box-1", id=name, op=op, args=args, exp=exp, left_ms=left_ms)


def said(desk, given):
    """Every word on a command, to the last."""
    words = queue.Queue()
    desk.take(given, words.put)
    replies = [words.get(timeout=60)]
    while replies[-1].st == ACCEPTED:
        replies.append(words.get(timeout=60))
    return replies


@pytest.mark.parametrize(
    ("given", "states", "why"),
    [
        (command(), [ACCEPTED, DONE], ""),
        (command("bell.crack"), [ACCEPTED, FAILED], "it is cracked"),
        (command("bell.explode"), [ACCEPTED, FAILED], "KeyError: 'bell'"),
        (command("gong.ring"), [CommandState.UNKNOWN], "'gong.ring' is not known here; groups"),
        (command(exp=NOW - 1), [CommandState.EXPIRED], ""),
        (command(times=20_000), [ACCEPTED, DONE], "too long"),
    ],
)
def test_what_becomes_of_a_command(open_desk, bell, given, states, why):
    replies = said(open_desk(), given)
    assert [reply.st for reply in replies] == states
    assert {reply.id for reply in replies} == {"c-1"}
    assert why in replies[-1].why
    assert len(bell.rung) == (ACCEPTED in states)


def test_a_repeat_gets_the_same_reply_though_the_program_was_started_again(open_desk, bell, clock):
    first = said(open_desk(), command(times=2))[-1]
    clock[0] += 3_600_000
    assert said(open_desk(), command(times=2)) == [first]
    assert len(bell.rung) == 1
    clock[0] += 86_400_001
    assert said(open_desk(), command())[-1].st == CommandState.EXPIRED


def slow(begun, may_end):
    def walk(_name, _arguments, _order):
        begun.set()
        may_end.wait(60)
        return {}

    return walk


def test_a_command_under_way_is_not_begun_twice(open_desk):
    desk, begun, may_end = open_desk(), threading.Event(), threading.Event()
    desk.offer("slow", slow(begun, may_end))
    first, repeat = queue.Queue(), queue.Queue()
    desk.take(command("slow.walk"), first.put)
    assert begun.wait(60)
    begun.clear()
    desk.take(command("slow.walk"), repeat.put)
    assert repeat.get(timeout=60).st == ACCEPTED
    may_end.set()
    assert [first.get(timeout=60).st, first.get(timeout=60).st] == [ACCEPTED, DONE]
    assert not begun.is_set()


def test_slow_operations_keep_no_others_waiting(open_desk):
    desk, begun, may_end = open_desk(), threading.Event(), threading.Event()
    desk.offer("bell.toll", slow(begun, may_end), at_once=1)
    waiting = queue.Queue()
    for number in range(20):
        desk.take(command("bell.toll", f"slow-{number}"), waiting.put)
    assert begun.wait(60)
    assert said(desk, command())[-1].st == DONE
    may_end.set()


class Door:
    """An operation that cannot be begun while the door is shut."""

    def __init__(self):
        self.is_open, self.tried = False, queue.Queue()

    def __call__(self, _name, _arguments, _order=""):
        self.tried.put(self.is_open)
        if not self.is_open:
            raise NotYet("the door is shut")
        return {"through": True}


def test_what_cannot_be_begun_yet_waits_and_is_begun_once(open_desk):
    desk, door, words = open_desk(), Door(), queue.Queue()
    desk.offer("door", door, at_once=1)
    desk.take(command("door.pass"), words.put)
    assert words.get(timeout=60).st == ACCEPTED
    assert door.tried.get(timeout=60) is False
    assert said(desk, command(name="c-2"))[-1].st == DONE, "it holds no thread"
    door.is_open = True
    retry_until(desk, lambda: not words.empty())
    assert words.get(timeout=60).out == {"through": True}
    desk.tick()
    assert list(door.tried.queue).count(True) == 1


def test_what_waits_is_given_up_with_its_reason_when_its_time_is_over(open_desk, clock):
    desk, door, words = open_desk(), Door(), queue.Queue()
    desk.offer("door", door)
    desk.take(command("door.pass"), words.put)
    assert door.tried.get(timeout=60) is False
    clock[0] += 2000
    retry_until(desk, lambda: words.qsize() >= 2)
    words.get(timeout=60)
    last = words.get(timeout=60)
    assert (last.st, last.why) == (CommandState.EXPIRED, "the door is shut")


HOUR_MS = 3_600_000


@pytest.mark.parametrize("wrong_ms", [HOUR_MS, -HOUR_MS])
def test_a_wrong_clock_neither_ends_the_time_that_was_left_nor_lengthens_it(
    open_desk, clock, off, wrong_ms
):
    off[0] = wrong_ms
    desk, door, words = open_desk(), Door(), queue.Queue()
    assert said(desk, command(left_ms=1000))[-1].st == DONE
    assert said(desk, command(name="c-2", left_ms=0))[-1].st == CommandState.EXPIRED
    desk.offer("door", door)
    desk.take(command("door.pass", "c-3", left_ms=1000), words.put)
    assert door.tried.get(timeout=60) is False
    clock[0] += 2000
    retry_until(desk, lambda: words.qsize() >= 2)
    assert [words.get(timeout=60).st, words.get(timeout=60).st] == [ACCEPTED, CommandState.EXPIRED]


def test_only_so_many_wait(open_desk, monkeypatch):
    monkeypatch.setattr("edge.orders.MOST_WAITING", 1)
    desk, door, words = open_desk(), Door(), queue.Queue()
    desk.offer("door", door, at_once=1)
    for number in range(2):
        desk.take(command("door.pass", f"c-{number}"), words.put)
    replies = [words.get(timeout=60) for _ in range(3)]
    assert [r.why for r in replies if r.st == FAILED] == ["the door is shut"]


def retry_until(desk, has_come):
    for _ in range(6000):
        desk.tick()
        if has_come():
            return
        threading.Event().wait(0.01)
    raise AssertionError("nothing came")


def test_what_waited_too_long_for_its_turn_is_not_begun(open_desk, clock):
    desk, begun, may_end = open_desk(), threading.Event(), threading.Event()
    desk.offer("slow", slow(begun, may_end), at_once=1)
    desk.take(command("slow.first", "c-1", exp=NOW + 60_000), lambda _: None)
    assert begun.wait(60)
    words = queue.Queue()
    desk.take(command("slow.second", "c-2"), words.put)
    assert words.get(timeout=60).st == ACCEPTED
    clock[0] += 2000
    may_end.set()
    assert words.get(timeout=60).st == CommandState.EXPIRED


def test_what_a_crash_cut_short_is_said_to_have_failed(open_desk, bell):
    desk, begun, may_end = open_desk(), threading.Event(), threading.Event()
    desk.offer("slow", slow(begun, may_end))
    desk.take(command("slow.walk"), lambda _: None)
    assert begun.wait(60)
    again = open_desk()
    again.offer("slow", bell)
    (reply,) = said(again, command("slow.walk"))
    assert (reply.st, reply.why) == (FAILED, "the agent stopped while it was under way")
    assert not bell.rung
    may_end.set()
    may_end.set()


def test_a_reason_with_a_code_is_sent_and_kept_with_it(open_desk):
    replies = queue.SimpleQueue()
    desk = open_desk()
    desk.take(command("bell.tear"), replies.put)
    last = [replies.get(timeout=5) for _ in range(2)][-1]
    assert (last.why, last.said) == ("it has no such channel", {"code": "no_channel", "values": {}})
    desk.take(command("bell.tear"), replies.put)
    assert replies.get(timeout=5) == last
