"""Words of the hub: the same in both languages, and one for everything that a table may say."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hub.calendar.limit import Unit
from hub.cases.case import Stage, State
from hub.cases.clock import ClockState
from hub.cases.record import Kind as RecordKind, RecordState
from hub.devices.orders.order import OrderState
from hub.duty.attendance import Presence
from hub.intake.report import Channel, ReportState
from hub.models.rollout import RolloutState
from hub.out.webhook import Topic
from hub.patrol.report import Standing
from hub.roles import Right, Role
from hub.tracks.alarms import ALARMS
from hub.tracks.episode import Kind
from hub.tracks.geofence import Purpose
from hub.tracks.lifts import Verdict
from hub.words import said, texts, word
from wire.coded import coded, kept, read_kept
from wire.status import CameraState

SAID = {
    "alarm": ALARMS.values(), "alert": ("confirmed", "false_alarm"),
    "alertState": ("active", "ended"), "camera": CameraState,
    "channel": [*Channel, "camera", "vehicle"], "clockState": ClockState, "duty": Presence,
    "event": [*Kind, "unknown"], "level": "123", "load": ("empty", "half", "full"),
    "order": OrderState, "patrol": Standing, "purpose": Purpose, "reportState": ReportState,
    "role": Role, "rollout": RolloutState, "stage": set(Stage) - {Stage.NONE}, "state": State,
    "topic": [*Topic, "test"], "verdict": Verdict,
    "recordState": RecordState, "right": Right, "unit": Unit, "record": RecordKind,
    "yesNo": ("yes", "no", "unknown"),
}  # fmt: skip


@pytest.mark.parametrize("group", SAID)
def test_every_word_of_a_group_is_there(group):
    assert {f"{group}.{name}" for name in SAID[group]} <= texts("zh").keys()


def test_both_languages_have_the_same_words():
    assert texts("zh").keys() == texts("en").keys()
    assert all(text.strip() for text in (*texts("zh").values(), *texts("en").values()))


def test_what_is_new_to_us_stays_as_it_is():
    assert word("zh", "state", "filed") == "已立案"
    assert word("zh", "state", "never_heard_of") == "never_heard_of"


BEIJING = ZoneInfo("Asia/Shanghai")


def test_a_sentence_is_said_as_the_console_says_it():
    row = coded("row", "row {row}", row=7)
    twice = coded("already_in", "{given!r} is in {where} already", given="A-1", where=row)
    assert said(twice, "zh", BEIJING) == "“A-1”已在第 7 行出现过"
    assert said(twice, "en", BEIJING) == "'A-1' is in row 7 already"
    illegal = coded(
        "step_illegal",
        "-",
        number="A-7",
        state="filed",
        action="close",
        possible="dispatch, cancel",
    )
    assert "“已立案”" in said(illegal, "zh", BEIJING)
    assert "派遣, 作废" in said(illegal, "zh", BEIJING)
    no_such = coded("no_such", "-", thing="vehicle", name="odd_name")
    assert said(no_such, "zh", BEIJING) == "没有车辆 odd_name"
    empty = coded("column_empty", "-", column="role")
    assert "“角色”" in said(empty, "zh", BEIJING)


def test_a_whole_number_is_written_as_one():
    limit = coded("so_long", "{number:g} {unit}", number=2.0, unit="work_hour")
    assert said(limit, "zh", BEIJING) == "2 工作时"
    assert said(coded("by_channel", "{channel}", channel="phone"), "zh", BEIJING) == "电话"


def test_moments_in_a_sentence_are_the_sites_also_when_it_was_stored():
    due = datetime(2026, 11, 30, 1, 30, tzinfo=UTC)
    sentence = coded("was_due", "case {number} was due {due:%H:%M} UTC", number="A-7", due=due)
    for each in (sentence, read_kept(kept(sentence))):
        assert "2026-11-30 09:30" in said(each, "zh", BEIJING)


def test_what_has_no_code_or_a_new_one_stays_as_it_is():
    assert said("as it is", "zh", BEIJING) == "as it is"
    assert said(coded("of_tomorrow", "as it is"), "zh", BEIJING) == "as it is"
