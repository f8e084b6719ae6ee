"""When does an alert open a case without a person: the site's rule for its label."""

from hub.alerts.alert import CONFIRMED, FALSE_ALARM, Alert
from hub.config import Rule


def opens_case(alert: Alert, rule: Rule) -> bool:
    """Whether the alert opens a case now."""
    if alert.case_id is not None or alert.decision == FALSE_ALARM:
        return False
    if alert.decision == CONFIRMED:
        return True
    return (
        alert.suppressed_until is None
        and rule.open_case == "at_once"
        and alert.level >= rule.min_level
        and alert.score >= rule.min_score
    )
