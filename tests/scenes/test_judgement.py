from typing import Any

import pytest

from scenes.judgement import judge

STALL = (0.4, 0.5, 0.1, 0.2)
ELSEWHERE = (0.8, 0.5, 0.1, 0.2)


def truth(**changes: Any) -> dict[str, Any]:
    box = dict(zip("xywh", STALL, strict=True))
    return {
        "scenario": "made_up",
        "duration_s": 100.0,
        "dwell_s": 20.0,
        "events": [
            {"label": "street_vending", "want": "alert", "from_s": 10.0, "things": ["stall"]}
        ],
        "boxes": [
            {"t_s": float(t), "boxes": [{"id": "stall", "label": "street_vending", **box}]}
            for t in range(10, 60)
        ],
        **changes,
    }


def alert(
    t_s: float, box: tuple[float, float, float, float], label: str = "street_vending"
) -> dict[str, Any]:
    boxes = [{"label": label, **dict(zip("xywh", box, strict=True))}]
    return {"kind": "alert", "state": "new", "label": label, "t_s": t_s, "boxes": boxes}


@pytest.mark.parametrize(
    ("alerts", "found", "noticed", "delay_s", "false"),
    [
        ([], False, False, None, 0),
        ([alert(31, STALL)], True, True, 21.0, 0),
        ([alert(31, STALL), alert(50, STALL)], True, True, 21.0, 0),
        ([alert(31, STALL, "unknown_object")], False, True, None, 0),
        ([alert(31, ELSEWHERE)], False, False, None, 1),
        ([alert(31, (0.42, 0.6, 0.05, 0.08))], True, True, 21.0, 0),
        ([alert(63, STALL)], True, True, 53.0, 0),
        ([alert(31, STALL), alert(40, ELSEWHERE, "garbage")], True, True, 21.0, 1),
    ],
)
def test_alerts_are_held_against_the_truth(
    alerts: list[dict[str, Any]],
    found: bool,
    noticed: bool,
    delay_s: float | None,
    false: int,
) -> None:
    played = judge(truth(), [*alerts, {"summary": {}}])
    (verdict,) = played.verdicts
    assert (verdict.is_found, verdict.is_noticed, verdict.delay_s) == (found, noticed, delay_s)
    assert len(played.false_alarms) == false


def test_updates_and_ends_are_no_second_alert() -> None:
    lines = [{**alert(t, STALL), "state": state} for t, state in ((31, "new"), (40, "update"))]
    (verdict,) = judge(truth(), [*lines, {**alert(60, STALL), "state": "end"}]).verdicts
    assert verdict.alerts == 1


def test_what_begins_too_late_to_dwell_is_not_asked_for() -> None:
    assert judge(truth(duration_s=29.0), []).verdicts == ()


def test_an_alert_where_none_is_wanted_is_false() -> None:
    calm = truth(events=[{"label": "street_vending", "want": "none", "from_s": 0.0, "things": []}])
    assert judge(calm, [alert(31, STALL)]).false_alarms == (("street_vending", 31),)
