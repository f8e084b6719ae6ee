"""Words of the hub: the same in both languages, and one for everything that a table may say."""

import pytest

from hub.cases.case import Stage, State
from hub.cases.clock import ClockState
from hub.devices.orders.order import OrderState
from hub.duty.attendance import Presence
from hub.intake.report import Channel, ReportState
from hub.models.rollout import RolloutState
from hub.out.webhook import Topic
from hub.patrol.report import Standing
from hub.roles import Role
from hub.tracks.alarms import ALARMS
from hub.tracks.episode import Kind
from hub.tracks.geofence import Purpose
from hub.tracks.lifts import Verdict
from hub.words import texts, word
from wire.status import CameraState

SAID = {
    "alarm": ALARMS.values(), "alert": ("confirmed", "false_alarm"),
    "alertState": ("active", "ended"), "camera": CameraState,
    "channel": [*Channel, "camera", "vehicle"], "clockState": ClockState, "duty": Presence,
    "event": [*Kind, "unknown"], "level": "123", "load": ("empty", "half", "full"),
    "order": OrderState, "patrol": Standing, "purpose": Purpose, "reportState": ReportState,
    "role": Role, "rollout": RolloutState, "stage": set(Stage) - {Stage.NONE}, "state": State,
    "topic": [*Topic, "test"], "verdict": Verdict, "yesNo": ("yes", "no", "unknown"),
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
