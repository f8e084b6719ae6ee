"""The looks that were asked for an alert or a case."""

from collections.abc import Iterable, Sequence

from sqlalchemy.engine import Connection

from hub.alerts.alert import Alert
from hub.devices.orders import store as order_store
from hub.devices.orders.order import Subject
from hub.looks.look import OP, Look, look_of


def of_alert(tx: Connection, alert: Alert, most: int | None = None) -> list[Look]:
    """The looks at the place of an alert, the newest first; `most` of each that asked."""
    subjects = [Subject("alert", alert.id)]
    if alert.case_id is not None:
        subjects.append(Subject("case", str(alert.case_id)))
    return [look for look in _about(tx, subjects, most) if look.alert == alert.alert]


def of_case(
    tx: Connection, case: int, alerts: Iterable[str], most: int | None = None
) -> list[Look]:
    """The looks for a case or one of its alerts, the newest first; `most` of each that asked."""
    subjects = [Subject("case", str(case)), *(Subject("alert", name) for name in alerts)]
    return _about(tx, subjects, most)


def _about(tx: Connection, subjects: Sequence[Subject], most: int | None) -> list[Look]:
    orders = {
        order.id: order
        for subject in subjects
        for order in order_store.of_subject(tx, subject, most)
        if order.op == OP
    }
    return [look_of(each) for each in sorted(orders.values(), key=lambda o: o.id, reverse=True)]
