"""A terminal that does anything in any order: hypothesis walks through the session's states."""

from datetime import UTC, datetime

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.gps.jt808.frame import Frame, Framer
from edge.gps.jt808.join import Room
from edge.gps.jt808.session import Fleet, Memory, Session
from edge.gps.jt808.told import Report
from tests.edge.gps.jt808.reports import frame, packets, report

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
FLEET = Fleet({"13912344321": "truck-7"}, secret=b"states")
CODE = FLEET.code("13912344321").encode()
SERIALS, PLACES, ALARMS = st.integers(0, 1), st.integers(0, 1), st.sampled_from([0, 1, 3])
OFTEN = st.sampled_from([True, True, True, False])


class TerminalAndGateway(RuleBasedStateMachine):
    """The gateway's side is real; the model is what was kept and which alarms stand."""

    def __init__(self) -> None:
        super().__init__()
        self.memory, self.room = Memory(), Room(50_000)
        self.kept: set[tuple[int, int, int]] = set()
        self.reported: list[tuple[int, int, int]] = []
        self.standing = 0
        self.now_s = 0.0
        self.connect()

    def connect(self) -> None:
        self.session = Session(FLEET, lambda _: self.memory, self.room)
        self.known = False

    def hear(self, wire: bytes, *, stored: bool = True) -> list[Frame]:
        turn = self.session.feed(wire, self.now_s, NOON)
        assert self.known or self.session.terminal or not turn.reports
        reports = [each for each in turn.reports if isinstance(each, Report)]
        if stored:
            self.session.kept(turn)
            for each in reports:
                lat, alarm = round(each.position.lat - 32), each.position.alarm
                self.reported.append((self.serial, lat, alarm))
                self.standing = (self.standing | each.raised) & ~each.cleared
                assert self.standing == alarm, "edges must lead to the state they tell of"
        if turn.end:
            self.hangs_up()
        return [out for each in turn.answers for out in Framer().feed(each)
                if isinstance(out, Frame)]  # fmt: skip

    def hangs_up(self) -> None:
        self.session.close()
        assert self.room.size == 0
        self.connect()

    @rule(comes_back=OFTEN)
    def is_cut(self, comes_back: bool) -> None:
        self.hangs_up()
        if comes_back:
            self.authenticates(right=True)

    @rule(right=OFTEN)
    def authenticates(self, right: bool) -> None:
        (answer,) = self.hear(frame(0x0102, CODE if right else b"guess", serial=9))
        assert answer.body[4] == (0 if right else 1)
        self.known = right

    @rule(serial=SERIALS, place=PLACES, alarm=ALARMS, stored=OFTEN)
    def reports(self, serial: int, place: int, alarm: int, stored: bool) -> None:
        self.serial = serial
        body = report(lat=32.0 + place, alarm=alarm)
        before, known = len(self.reported), self.known
        answers = self.hear(frame(0x0200, body, serial), stored=stored)
        assert [out.body[4] for out in answers] == [0 if known else 1]
        if not known or not stored:
            return
        key = (serial, place, alarm)
        assert self.reported[before:] == ([] if key in self.kept else [key])
        self.kept.add(key)

    @precondition(lambda self: self.known)
    @rule(serial=SERIALS, order=st.permutations(range(3)), most=st.integers(1, 3))
    def sends_packets(self, serial: int, order: list[int], most: int) -> None:
        parts = packets(0x0800, b"12345678", 3, serial=100 + 3 * serial)
        for n in order[:most]:
            (answer,) = self.hear(parts[n])
            assert answer.body[4] == 0

    @rule(rubbish=st.binary(max_size=60))
    def sends_rubbish(self, rubbish: bytes) -> None:
        self.hear(b"\x7e" + rubbish.replace(b"\x7e", b"") + b"\x7e")

    @rule(seconds=st.sampled_from([1.0, 6.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds
        self.session.tick(self.now_s)

    @invariant()
    def alarms_stand_as_told(self) -> None:
        assert self.memory.alarm == self.standing
        assert self.room.size <= 50_000


TerminalAndGateway.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)
test_any_order = TerminalAndGateway.TestCase
