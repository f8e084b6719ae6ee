"""What is worth telling: read off the history and the events, written into the outbox once.

The history (`hub.audit`) has every act, in order and in the database, so that nothing is told
before its commit and nothing is lost: a cursor says how far it was read. What is told names no
person and quotes nothing anybody wrote; dual reports and supervision alone name whom they are to.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from hub import audit, events
from hub.alerts import store as alert_store
from hub.cases import record_store, store as case_store
from hub.cases.case import Case, state_zh
from hub.cases.record import Kind, Record
from hub.departments import store as department_store
from hub.duty import store as duty_store
from hub.grid.places import Path, Places
from hub.http import iso
from hub.intake import store as intake_store
from hub.matters import matter
from hub.out import store as out_store
from hub.out.store import Telling
from hub.out.webhook import Topic
from hub.people import users
from hub.store import Store, now

AT_ONCE = 500
OVERLAP = 200
"""PostgreSQL hands out numbers of events before commit: a lower one may appear after a higher."""


@dataclass(frozen=True)
class News:
    """Something worth telling: where it was, and what is said of it."""

    key: str
    topic: Topic
    path: Path
    said: Mapping[str, Any]


def tell(store: Store, places: Places, base_url: str) -> int:
    """Put what is new into the outbox; returns how much of it there was."""
    with store.read() as tx:
        hooks = [hook for hook, _ in out_store.listed(tx, out_store.webhooks.c.paused_at.is_(None))]
        newest_act = tx.execute(select(func.max(audit.entries.c.id))).scalar() or 0
        newest_event = tx.execute(select(func.max(events.events.c.id))).scalar() or 0
        if out_store.is_read_to(tx, {"audit": newest_act, "events": newest_event}):
            return 0
    with store.write() as tx:
        last_act = out_store.cursor(tx, "audit", newest_act)
        last_event = out_store.cursor(tx, "events", newest_event)
        if newest_act <= last_act and newest_event <= last_event:
            return 0
        news = [] if not hooks else _of_history(tx, last_act) + _of_alerts(tx, last_event)
        tellings = [
            Telling(hook.id, each.key, each.topic, _body(each, places, base_url))
            for each in news
            for hook in hooks
            if hook.wants(each.topic, each.path)
        ]
        out_store.put(tx, tellings, now())
        out_store.move_cursor(tx, "audit", min(newest_act, last_act + AT_ONCE))
        out_store.move_cursor(tx, "events", min(newest_event, last_event + AT_ONCE))
    return len(tellings)


def _of_history(tx: Connection, last: int) -> list[News]:
    table = audit.entries
    found = select(table).where(table.c.id > last, table.c.id <= last + AT_ONCE)
    rows = tx.execute(found.where(table.c.kind.in_(["case", "alert", "report"]))).all()
    numbers = {int(row.subject) for row in rows if row.kind == "case" and row.subject.isdecimal()}
    cases = case_store.load(tx, numbers)
    alerts = alert_store.load(tx, [row.subject for row in rows if row.kind == "alert"])
    told = {row.subject for row in rows if row.kind == "report"}
    places_of = {
        row.number: row
        for row in tx.execute(
            select(
                intake_store.reports.c.number,
                intake_store.reports.c.path,
                intake_store.reports.c.matter,
                intake_store.reports.c.channel,
            ).where(intake_store.reports.c.number.in_(told))
        )
    }
    answers = [int(row.subject) for row in rows if (row.kind, row.action) == ("case", "answer")]
    signs = intake_store.answered_at(tx, answers) if answers else {}
    news = []
    for row in rows:
        key, at = f"audit-{row.id}", iso(row.at)
        if row.kind == "case" and (case := cases.get(int(row.subject))) is not None:
            if row.action in PERSONAL:
                news += PERSONAL[row.action](tx, key, case, row.at)
                continue
            topic = _of_case(row)
            if topic is not None:
                said = {**_case(case), "action": row.action, "to_state": row.to_state, "at": at}
                if topic is Topic.REPORT_ANSWERED:
                    said["reports"] = [asdict(sign) for sign in signs.get((case.id, row.at), ())]
                news.append(News(key, topic, case.path, {"case": said}))
        elif row.kind == "alert" and row.action in ("confirmed", "false_alarm"):
            alert = alerts.get(row.subject)
            if alert is not None:
                said = {**_alert(alert), "decision": row.action, "at": at}
                news.append(News(key, Topic.ALERT_DECIDED, alert.path, {"alert": said}))
        elif row.kind == "report" and row.action == "receive" and row.subject in places_of:
            of_it = places_of[row.subject]
            said = {
                "number": row.subject,
                "channel": of_it.channel,
                "matter": of_it.matter,
                "at": at,
            }
            news.append(News(key, Topic.REPORT_RECEIVED, of_it.path, {"report": said | {"at": at}}))
    return news


def _of_case(row: Any) -> Topic | None:
    if row.action == "overdue":
        return Topic.CASE_OVERDUE
    if row.action == "answer":
        return Topic.REPORT_ANSWERED
    if row.from_state == row.to_state or not row.to_state:
        return None
    return Topic.CASE_MOVED if row.from_state else Topic.CASE_OPENED


def _dual_reports(tx: Connection, key: str, case: Case, at: datetime) -> list[News]:
    """One to each addressee: who he is and his number are said, so that a message reaches him."""
    found = record_store.listed(
        tx,
        record_store.records.c.case_id == case.id,
        record_store.records.c.kind == Kind.DUAL_REPORT.value,
        record_store.records.c.at == at,
    )
    roster = {person.id: person for person in duty_store.load_people(tx)}
    news = []
    for each in found:
        person = roster.get(each.person or "")
        said = {
            **_case(case),
            "to": each.reason,
            "person": person.name if person else "",
            "phone": person.phone if person else "",
            "read_until": iso(each.answer_due),
            "at": iso(at),
        }
        name = f"{key}-{each.reason}"
        news.append(News(name, Topic.CASE_DUAL_REPORT, case.path, {"case": said}))
    return news


def _supervised(step: str, when: str, *to: str) -> Callable[..., list[News]]:
    """What is told at a step of a supervision, and to whom; `when`: the record's own moment."""

    def tell(tx: Connection, key: str, case: Case, at: datetime) -> list[News]:
        column = record_store.records.c[when]
        found = record_store.listed(
            tx,
            record_store.records.c.case_id == case.id,
            record_store.records.c.kind == Kind.SUPERVISION.value,
            column == at,
        )
        return [
            News(f"{key}-{each.id}-{whom}", Topic.CASE_SUPERVISION, case.path, {"case": {
                **_case(case), "step": step, "to": whom, "person": person, "phone": phone,
                "answer_until": iso(each.answer_due), "at": iso(at),
            }})
            for each in found
            for whom in to
            for person, phone in _reached(tx, whom, each, case)
        ]  # fmt: skip

    return tell


def _reached(tx: Connection, whom: str, record: Record, case: Case) -> list[tuple[str, str]]:
    """Name and number of the department, of who was sent for it, or of who demanded it."""
    if whom == "department":
        found = department_store.one(tx, record.department) if record.department else None
        return [(found.department.name_zh, found.department.phone)] if found else []
    if whom == "demander":
        user = users.load(tx, record.by)
        return [(user.display_name, user.phone) if user else (record.by, "")]
    if case.officer is None or case.department != record.department:
        return []
    named = users.listed(
        tx, (users.users.c.name == case.officer) | (users.users.c.display_name == case.officer)
    )
    phones = [each.phone for each in named]
    phones += [each.phone for each in duty_store.load_people(tx) if each.name == case.officer]
    return [(case.officer, next(filter(None, phones), ""))]


PERSONAL: Mapping[str, Callable[..., list[News]]] = {
    "dual_report": _dual_reports,
    "supervise": _supervised("demanded", "at", "department", "officer"),
    "answer_supervision": _supervised("answered", "decided_at", "demander"),
    "supervision_overdue": _supervised(
        "overdue", "overdue_at", "department", "officer", "demander"
    ),
}
"""Acts that are told to somebody, by name and number."""


def _of_alerts(tx: Connection, last: int) -> list[News]:
    """Alerts heard of for the first time; an alert is told once, by its id."""
    table = events.events
    since = max(0, last - OVERLAP)
    found = select(table.c.item).where(table.c.kind == "alert", table.c.id > since)
    ids = list(dict.fromkeys(tx.execute(found.order_by(table.c.id).limit(2 * AT_ONCE)).scalars()))
    return [
        News(f"alert-{alert.id}", Topic.ALERT_NEW, alert.path, {"alert": _alert(alert)})
        for alert in alert_store.load(tx, ids).values()
        if alert.duplicate_of is None and alert.decision is None and not alert.suppressed_until
    ]


def _case(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "number": case.number,
        "state": case.state.value,
        "matter": case.matter,
        "level": case.level,
        "department": case.department,
        "grids": list(case.path),
        "lat": case.lat,
        "lon": case.lon,
        "generated": case.generated,
    }


def _alert(alert: Any) -> dict[str, Any]:
    return {
        "id": alert.id,
        "label": alert.label,
        "matter": alert.matter,
        "level": alert.level,
        "camera": f"{alert.device}/{alert.source}",
        "since": iso(alert.since),
        "grids": list(alert.path),
        "lat": alert.lat,
        "lon": alert.lon,
        "generated": alert.generated,
    }


def _body(news: News, places: Places, base_url: str) -> str:
    """The message: the thing, and the words for those who are told by a template."""
    (kind,) = news.said
    item = news.said[kind]
    about, ref = matter(item.get("matter")), places.ref(news.path)
    state = state_zh(item["state"]) if kind == "case" else str(item.get("decision", ""))
    link = f"{base_url}/#/cases/{item['id']}" if kind == "case" else f"{base_url}/"
    words = {
        "topic": news.topic.value,
        "number": str(item.get("number") or item.get("id")),
        "state": state,
        "matter": about.name_zh if about else "",
        "grid": (ref.name or ref.code) if ref else "",
        "at": str(item.get("at") or item.get("since") or ""),
        "link": link,
        "person": str(item.get("person", "")),
        "phone": str(item.get("phone", "")),
    }
    title = SUPERVISION_STEPS.get(str(item.get("step")), TITLES[news.topic])
    parts = (title, words["number"], words["matter"], words["grid"], state)
    words["text"] = " ".join(part for part in parts if part)
    return json.dumps({"topic": news.topic.value, **news.said, "words": words}, ensure_ascii=False)


TITLES: Mapping[Topic, str] = {
    Topic.ALERT_NEW: "新告警",
    Topic.ALERT_DECIDED: "告警已判定",
    Topic.CASE_OPENED: "新案件",
    Topic.CASE_MOVED: "案件进展",
    Topic.CASE_OVERDUE: "案件超期",
    Topic.CASE_DUAL_REPORT: "双报告待阅",
    Topic.CASE_SUPERVISION: "督办",
    Topic.REPORT_RECEIVED: "收到反映",
    Topic.REPORT_ANSWERED: "已答复反映人",
}
SUPERVISION_STEPS: Mapping[str, str] = {
    "demanded": "督办，请按期答复",
    "answered": "督办已答复",
    "overdue": "督办逾期未答复",
}
