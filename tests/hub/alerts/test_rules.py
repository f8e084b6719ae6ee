import pytest

from hub.alerts.rules import opens_case
from hub.config import Rule
from tests.hub.world import known_alert

AT_ONCE = Rule(open_case="at_once", min_level=2, min_score=0.7)


@pytest.mark.parametrize(
    ("rule", "changes", "expected"),
    [
        (Rule(), {}, False),
        (Rule(), {"decision": "confirmed"}, True),
        (AT_ONCE, {"level": 2, "score": 0.7}, True),
        (AT_ONCE, {"level": 1, "score": 0.9}, False),
        (AT_ONCE, {"level": 3, "score": 0.69}, False),
        (AT_ONCE, {"level": 3, "score": 0.9, "decision": "false_alarm"}, False),
        (AT_ONCE, {"level": 3, "score": 0.9, "case_id": 7}, False),
    ],
)
def test_opens_case(rule, changes, expected):
    assert opens_case(known_alert(**changes), rule) is expected
