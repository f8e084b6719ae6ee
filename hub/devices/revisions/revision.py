"""A revision of a device's configuration: what it says, what it changes, what became of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from pydantic import ValidationError

from hub.errors import SEE_PROBLEMS, Problem
from wire.calendar import Calendar
from wire.coded import joined
from wire.revision import Revision as Document
from wire.settings import sentences
from wire.zone import CameraSettings, calendar_faults

Doc = dict[str, Any]


class RevisionState(StrEnum):
    """`waiting` for the device's answer, `applied`, or `refused` with the faults it named."""

    WAITING = "waiting"
    APPLIED = "applied"
    REFUSED = "refused"


@dataclass(frozen=True)
class Revision:
    """One revision. `doc` is a `wire.revision.Revision` as JSON; `faults`: why it was refused."""

    device: str
    rev: int
    at: datetime
    by: str
    note: str
    doc: Doc
    state: RevisionState = RevisionState.WAITING
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class CameraReport:
    """What a camera runs with, as its device said last."""

    revision: int
    doc: Doc
    calendar: Doc
    at: datetime


class BadSettings(Problem):
    """Settings that no device would take; every fault in its own words."""

    def __init__(self, faults: list[str]) -> None:
        """Name them all."""
        super().__init__(422, "bad_settings", joined(faults), SEE_PROBLEMS)
        self.problems = [{"message": fault} for fault in faults]


def faults_of(settings: Mapping[str, Any], calendar: Mapping[str, Any]) -> list[str]:
    """What is wrong with a camera's settings, in the words its device would use; empty if nothing.

    `calendar`: the one that will be in force.
    """
    try:
        known = CameraSettings.model_validate_json(msgspec.json.encode(settings))
    except ValidationError as fault:
        return sentences(fault, CameraSettings)
    return list(calendar_faults(known.zones, Calendar.model_validate_json(_json(calendar))))


def with_camera(doc: Doc, camera: str, settings: Mapping[str, Any]) -> Doc:
    """The document with other settings of one camera, written in full and in one way."""
    known = CameraSettings.model_validate_json(msgspec.json.encode(settings))
    plain = known.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {**doc, "cameras": {**doc.get("cameras", {}), camera: plain}}


def faults_in(doc: Doc) -> list[str]:
    """What is wrong with a whole document."""
    try:
        Document.model_validate_json(_json(doc))
    except ValidationError as fault:
        return sentences(fault, Document)
    return []


@dataclass(frozen=True)
class Difference:
    """One setting that differs: `where` as `gate.zones.market.dwell_s`; None = not there."""

    where: str
    before: Any
    after: Any


def differences(before: Doc, after: Doc) -> list[Difference]:
    """What a document changes, setting by setting."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return [
        Difference(where, old.get(where), new.get(where))
        for where in dict.fromkeys((*old, *new))
        if old.get(where) != new.get(where)
    ]


def _leaves(doc: Doc) -> Iterator[tuple[str, Any]]:
    if doc.get("calendar"):
        yield "calendar", doc["calendar"]
    for camera, settings in doc.get("cameras", {}).items():
        yield f"{camera}.ground_points", settings.get("ground_points") or None
        for zone in settings.get("zones", []):
            for key, value in zone.items():
                if key != "id":
                    yield f"{camera}.zones.{zone['id']}.{key}", value


def _json(value: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(value)
