"""Open311 GeoReport v2 as values and text: services, requests, errors; no HTTP here.

Source: the GeoReport v2 specification (wiki.open311.org, open311.github.io). Services are the
matters of the code table, groups their classes. A case that is not finished is `open`, every other
`closed`; its real state stands in `status_notes`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from xml.etree import ElementTree as ET

from hub.intake.report import NOBODY, Caller, Channel, NewReport, matter_of
from hub.matters import MatterTable

Format = Literal["json", "xml"]
MEDIA_TYPES: Mapping[str, str] = {"json": "application/json", "xml": "text/xml"}

MOST_DAYS = 90
MOST_REQUESTS = 1000
LONGEST_DESCRIPTION = 4000
SYSTEM = "open311"

Item = Mapping[str, Any]


class BadRequest(ValueError):
    """What is wrong with a request, by the specification's codes."""

    def __init__(self, faults: Sequence[str], code: int = 400) -> None:
        """Name every fault."""
        super().__init__("; ".join(faults))
        self.faults = list(faults)
        self.code = code


@dataclass(frozen=True, slots=True)
class Window:
    """Which requests are listed: of these numbers, or between two moments of one state."""

    numbers: tuple[str, ...]
    service_codes: tuple[str, ...]
    start: datetime
    end: datetime
    status: Literal["", "open", "closed"]


def services(matters: MatterTable, language: str = "zh") -> list[Item]:
    """The service list."""
    groups = {c.code: c.name_zh if language == "zh" else c.name_en for c in matters.classes}
    return [
        {
            "service_code": each.code,
            "service_name": each.name_zh if language == "zh" else each.name_en,
            "description": each.name_en if language == "zh" else each.name_zh,
            "metadata": False,
            "type": "realtime",
            "keywords": ",".join(filter(None, (each.identifier, each.six_disorders))),
            "group": groups.get(each.code[:2], ""),
        }
        for each in matters.matters
    ]


def definition(code: str) -> Item:
    """The definition of a service: none asks for more than every request has."""
    return {"service_code": code, "attributes": []}


def read_report(given: Mapping[str, str], key_name: str, at: datetime) -> NewReport:
    """A posted request as a report.

    `key_name`: whose api_key it was. Raises BadRequest with every fault; 404 for no such service.
    """
    code = given.get("service_code", "").strip()
    if not code:
        raise BadRequest(["service_code is missing"])
    matter = matter_of(code)
    if matter is None or matter.code != code:
        raise BadRequest([f"service_code {code} was not found"], 404)
    faults: list[str] = []
    lat, lon = (_degrees(given, name, most, faults) for name, most in (("lat", 90), ("long", 180)))
    address = (given.get("address_string") or given.get("address_id") or "").strip()
    if (lat is None) != (lon is None) and not faults:
        faults.append("lat and long are needed together")
    elif lat is None and not address and not faults:
        faults.append("one of lat and long, address_string or address_id is needed")
    description = given.get("description", "")
    if len(description) > LONGEST_DESCRIPTION:
        faults.append(f"description: {len(description)} characters, at most {LONGEST_DESCRIPTION}")
    if faults:
        raise BadRequest(faults)
    name = " ".join(filter(None, (given.get("last_name"), given.get("first_name"))))
    caller = Caller(name[:100], given.get("phone", "")[:40], given.get("email", "")[:200])
    media = given.get("media_url", "").strip()
    return NewReport(
        channel=Channel.OPEN311,
        content=description + (f"\n{media}" if media else ""),
        received_at=at,
        external_system=f"{SYSTEM}:{key_name}"[:64],
        matter=matter.code,
        category_hint=code,
        place_text=address[:500],
        lat=lat,
        lon=lon,
        wants_reply=bool(caller),
        caller=caller or NOBODY,
    )


def read_window(given: Mapping[str, str], at: datetime) -> Window:
    """The filters of a request list; without dates the last 90 days.

    Raises BadRequest.
    """
    faults: list[str] = []
    start, end = (_moment(given, name, faults) for name in ("start_date", "end_date"))
    status = given.get("status", "")
    if status not in ("", "open", "closed"):
        faults.append(f"status {status} is not open or closed")
    if start is None and end is None:
        start, end = at - timedelta(days=MOST_DAYS), at
    elif start is None and end is not None:
        start = end - timedelta(days=MOST_DAYS)
    elif end is None and start is not None:
        end = min(start + timedelta(days=MOST_DAYS), at) if start < at else start
    if start and end and not timedelta() <= end - start <= timedelta(days=MOST_DAYS):
        faults.append(f"start_date and end_date must be in order, {MOST_DAYS} days apart at most")
    if faults or start is None or end is None:
        raise BadRequest(faults or ["start_date, end_date: cannot be read"])
    chosen: Any = status
    return Window(
        _commas(given.get("service_request_id", "")),
        _commas(given.get("service_code", "")),
        start,
        end,
        chosen,
    )


def discovery(base_url: str, changed_at: datetime) -> Item:
    """Where the service is and what it speaks."""
    endpoint = {
        "specification": "http://wiki.open311.org/GeoReport_v2",
        "url": f"{base_url}/open311/v2",
        "changeset": changed_at.isoformat(),
        "type": "production",
        "formats": ["application/json", "text/xml"],
    }
    return {
        "changeset": changed_at.isoformat(),
        "contact": "",
        "key_service": "",
        "endpoints": [endpoint],
    }


def faults_item(fault: BadRequest) -> list[Item]:
    """The error list of the specification."""
    return [{"code": fault.code, "description": each} for each in fault.faults]


def written(kind: Format, root: str, item: Item | Sequence[Item], each: str = "") -> str:
    """Items as JSON or XML. `root`, `each`: the names of the XML elements."""
    if kind == "json":
        return json.dumps(item, ensure_ascii=False)
    top = ET.Element(root)
    if isinstance(item, Mapping):
        _fill(top, item)
    else:
        for one in item:
            _fill(ET.SubElement(top, each), one)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(top, encoding="unicode")


_ONE_OF = {"endpoints": "endpoint", "formats": "format", "attributes": "attribute"}


def _fill(element: ET.Element, item: Item) -> None:
    for name, value in item.items():
        child = ET.SubElement(element, name)
        if isinstance(value, Mapping):
            _fill(child, value)
        elif isinstance(value, list):
            for one in value:
                part = ET.SubElement(child, _ONE_OF.get(name, "item"))
                if isinstance(one, Mapping):
                    _fill(part, one)
                else:
                    part.text = str(one)
        elif value is not None:
            child.text = str(value).lower() if isinstance(value, bool) else _clean(str(value))


def _clean(text: str) -> str:
    """Without the control characters that XML 1.0 has no way to write."""
    return "".join(c for c in text if c >= " " or c in "\t\n\r")


def _degrees(given: Mapping[str, str], name: str, most: int, faults: list[str]) -> float | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not -most <= value <= most:
        faults.append(f"{name} {text} is not a number from -{most} to {most}")
        return None
    return value


def _moment(given: Mapping[str, str], name: str, faults: list[str]) -> datetime | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        faults.append(f"{name} {text} is not a date with offset such as 2026-11-28T09:00:00+08:00")
        return None
    return at


def _commas(text: str) -> tuple[str, ...]:
    return tuple(part for each in text.split(",") if (part := each.strip()))
