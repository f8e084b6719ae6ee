from dataclasses import replace
from threading import Thread

import pytest

from hub import audit, decisions, pipeline, steps
from hub.alerts.alert import alert_id
from hub.cases import store as case_store
from hub.cases.case import WantedStep
from hub.desk import Desk
from hub.errors import Problem
from hub.intake import store as intake_store
from hub.intake.report import Caller, Channel, NewReport, ReportState
from hub.intake.sealing import Seal
from hub.roles import Actor, Role
from tests.hub.world import LAT, LON, NOON, alert_message, received

CLERK = Actor("clerk", Role.OPERATOR)
CHIEF = Actor("chief", Role.SUPERVISOR)
STEP = 0.0001
"""About eleven metres of latitude."""


@pytest.fixture
def desk(store, site, tmp_path):
    return Desk(store, site, Seal(tmp_path))


def report(**changes):
    fields = {
        "channel": Channel.PHONE,
        "content": "a heap of rubbish at the gate",
        "received_at": NOON,
        "matter": "06010",
        "lat": LAT,
        "lon": LON,
        "caller": Caller("王小明", "13812345678"),
        "wants_reply": True,
    }
    return NewReport(**(fields | changes))


def cases(desk):
    with desk.store.read() as tx:
        _, by_state = case_store.counts(tx)
    return by_state


def see(desk, **changes):
    message = alert_message(**changes)
    with desk.store.write() as tx:
        pipeline.take(tx, desk.site, "alert", [received(message)])
    decisions.decide(desk.store, desk.site, alert_id(message), "confirmed", note="", actor=CLERK)


def test_five_people_and_a_camera_make_one_case_with_its_reporters(desk):
    channels = [Channel.PHONE, Channel.WECHAT, Channel.HOTLINE_12345, Channel.LETTER, Channel.MEDIA]
    first, *_ = [
        desk.receive(report(channel=channel, lat=LAT + i * STEP / 2), CLERK)
        for i, channel in enumerate(channels)
    ]
    see(desk)
    assert cases(desk) == {"reported": 1}
    with desk.store.read() as tx:
        told = intake_store.of_cases(tx, desk.seal, [first.case_id])[first.case_id]
        assert [each.new.channel for each in told] == channels
        assert audit.verify(tx) == []
    assert desk.answer(first.case_id, "cleared at noon", CLERK) == 5
    assert desk.answer(first.case_id, "cleared at noon", CLERK) == 0


def test_a_report_joins_what_a_camera_has_seen(desk):
    see(desk)
    assert desk.receive(report(), CLERK).case_id == 1
    assert cases(desk) == {"reported": 1}


def test_a_second_thing_that_a_camera_tells_apart_stays_a_second_case(desk):
    desk.receive(report(), CLERK)
    see(desk)
    see(desk, seq=1, alert="a-2")
    assert cases(desk) == {"reported": 2}


@pytest.mark.parametrize(
    "other", [{"matter": "09006"}, {"lat": LAT + 10 * STEP}], ids=["matter", "place"]
)
def test_another_matter_or_place_is_another_case(desk, other):
    desk.receive(report(), CLERK)
    desk.receive(report(**other), CLERK)
    assert cases(desk) == {"reported": 2}


def test_what_is_finished_is_not_joined(desk):
    first = desk.receive(report(), CLERK)
    wanted = WantedStep("reject", 1, "nothing there")
    steps.take_step(desk.store, desk.site, first.case_id, wanted, CLERK)
    assert desk.receive(report(), CLERK).case_id != first.case_id


def test_the_same_report_again_is_an_update_never_a_second(desk):
    told = report(external_system="city-12345", external_id="G1")
    first = desk.receive(told, CLERK)
    again = desk.receive(replace(told, content="it is growing", matter=None, lat=None), CLERK)
    assert (again.id, again.number, again.case_id) == (first.id, first.number, first.case_id)
    assert again.new.content == "it is growing"
    assert again.new.matter == "06010"
    assert cases(desk) == {"reported": 1}


def test_two_who_send_the_same_report_at_once_make_one(desk):
    told = report(external_system="city-12345", external_id="G1")
    threads = [Thread(target=desk.receive, args=(told, CLERK)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cases(desk) == {"reported": 1}
    with desk.store.read() as tx:
        assert len(intake_store.of_cases(tx, desk.seal, [1])[1]) == 1


def test_without_matter_or_place_it_waits_for_the_clerk(desk):
    waiting = desk.receive(report(matter=None, lat=None, lon=None), CLERK)
    assert waiting.state is ReportState.WAITING
    assert cases(desk) == {}
    assert desk.complete(waiting.number, "06010", None, CLERK).state is ReportState.WAITING
    entered = desk.complete(waiting.number, None, (LAT, LON), CLERK)
    assert entered.state is ReportState.IN_CASE
    assert entered.path == ("city", "q01")
    with pytest.raises(Problem, match="is in_case"):
        desk.refuse(waiting.number, "no", CLERK)


def test_a_refused_report_tells_its_reporter_why(desk):
    waiting = desk.receive(report(matter=None), CLERK)
    refused = desk.refuse(waiting.number, "belongs to the county", CLERK)
    assert (refused.state, refused.answer) == (ReportState.REFUSED, "belongs to the county")
    with desk.store.read() as tx:
        acts = [act.action for act in audit.of(tx, "report", refused.number)]
    assert acts == ["receive", "refuse"]


def test_merging_cases_moves_their_reporters(desk):
    first = desk.receive(report(), CLERK)
    second = desk.receive(report(lat=LAT + 20 * STEP), CLERK)
    with desk.store.read() as tx:
        number = case_store.numbers_of(tx, [second.case_id])[second.case_id]
    wanted = WantedStep("merge", 1, "the same", number)
    steps.take_step(desk.store, desk.site, first.case_id, wanted, CHIEF)
    with desk.store.read() as tx:
        assert intake_store.counts_of_cases(tx, [first.case_id, second.case_id]) == {
            second.case_id: 2
        }


def test_of_many_all_or_none_are_taken(desk):
    with pytest.raises(AttributeError):
        desk.receive_all([report(), None], CLERK)
    assert cases(desk) == {}
