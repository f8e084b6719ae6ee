"""The hub's configuration revisions: taken whole or not at all, kept on disk, in force at once.

The device's file stays the base. A revision replaces zones and ground points of the cameras it
names, and the calendar; what it does not name is as the file has it.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from edge.config import CameraConfig, EdgeConfig, with_calendar
from wire.codec import Refused, decode, encode
from wire.coded import code_of, coded, cut, words_of
from wire.command import CommandState, Reply
from wire.revision import ConfigPush, Revision, SettingsReport, reply_id
from wire.settings import sentences
from wire.zone import CameraSettings, calendar_faults

log = logging.getLogger(__name__)

MOST_FAULTS = 50

Say = Callable[[Reply], None]
Adopt = Callable[[Sequence[CameraConfig]], None]
"""Cameras are to be watched by these settings from now on."""


class BadRevision(ValueError):
    """A revision that does not fit this device; `faults` names all of it."""

    def __init__(self, faults: Sequence[str]) -> None:
        """Keep every fault."""
        super().__init__("; ".join(faults))
        self.faults = list(faults)


class Revisions:
    """The revision in force and the next ones. `take` may be called from any thread."""

    def __init__(self, path: Path, base: EdgeConfig) -> None:
        """Read the revision kept at `path`; one that does not fit the device's file any more rests.

        `base`: the device's file.
        """
        self.on_adopt: Adopt = lambda _: None
        self._path = path
        self._base = base
        self._desk = ThreadPoolExecutor(1, "revision")
        self._push: ConfigPush | None = None
        self.config = base
        self._take_up_what_was_kept()

    @property
    def number(self) -> int:
        """The revision in force; 0 = the device's file alone."""
        return self._push.rev if self._push is not None else 0

    def take(self, push: ConfigPush, say: Say) -> None:
        """Put a revision in force, or say why not; the one before stays then. Returns at once."""
        with suppress(RuntimeError):  # closed
            self._desk.submit(self._take, push, say)

    def close(self) -> None:
        """Take nothing more."""
        self._desk.shutdown(wait=False, cancel_futures=True)

    def settings(self) -> list[SettingsReport]:
        """What each camera runs with."""
        return [
            SettingsReport(
                dev=self._base.device,
                camera=camera.id,
                revision=self.number,
                doc=_settings(camera),
                calendar=with_calendar(camera, self.config.calendar).calendar.model_dump(
                    mode="json", by_alias=True, exclude_defaults=True
                ),
            )
            for camera in self.config.cameras
        ]

    def _take(self, push: ConfigPush, say: Say) -> None:
        try:
            say(self._answer(push))
        except Exception as fault:
            log.exception("revision %d cannot be taken", push.rev)
            say(self._reply(push, [f"{type(fault).__name__}: {fault}"]))

    def _answer(self, push: ConfigPush) -> Reply:
        before = self._push
        if before is not None and push.at < before.at:
            newer = coded("newer_revision", "revision {rev} is newer and in force", rev=before.rev)
            return self._reply(push, [newer])
        if before is not None and (push.rev, push.at) == (before.rev, before.at):
            return self._reply(push)
        try:
            config = revised(self._base, push.doc)
        except BadRevision as refused:
            log.warning("revision %d of %s is refused: %s", push.rev, push.by or "the hub", refused)
            return self._reply(push, refused.faults)
        # Kept before it is in force: what is in force must survive a restart.
        _keep(self._path, encode(push))
        old = {camera.id: camera for camera in self._cameras()}
        self.config, self._push = config, push
        changed = [camera for camera in self._cameras() if camera != old[camera.id]]
        log.info("revision %d of %s is in force: %d cameras changed", push.rev,
                 push.by or "the hub", len(changed))  # fmt: skip
        self.on_adopt(changed)
        return self._reply(push)

    def _cameras(self) -> list[CameraConfig]:
        return [with_calendar(camera, self.config.calendar) for camera in self.config.cameras]

    def _reply(self, push: ConfigPush, faults: Sequence[str] = ()) -> Reply:
        return Reply(
            dev=self._base.device,
            id=reply_id(push.rev),
            st=CommandState.FAILED if faults else CommandState.DONE,
            why="; ".join(faults)[:500],
            out=_told([cut(fault, 500) for fault in faults[:MOST_FAULTS]]) if faults else {},
        )

    def _take_up_what_was_kept(self) -> None:
        try:
            push = decode("config", self._path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, Refused) as fault:
            log.warning("%s cannot be read, the device's file is in force: %s", self._path, fault)
            return
        if not isinstance(push, ConfigPush):
            return
        try:
            self.config, self._push = revised(self._base, push.doc), push
        except BadRevision as refused:
            log.warning(
                "revision %d does not fit the device's file any more, which is in force: %s",
                push.rev, refused,
            )  # fmt: skip


def revised(base: EdgeConfig, doc: dict[str, Any]) -> EdgeConfig:
    """The device's configuration with a revision.

    Raises BadRevision with every fault.
    """
    try:
        # By way of JSON, as its words for dates and times are those of a file.
        revision = Revision.model_validate_json(msgspec.json.encode(doc))
    except ValidationError as fault:
        raise BadRevision(sentences(fault, Revision)) from None
    calendar = base.calendar if revision.calendar is None else revision.calendar
    cameras = [_with_settings(camera, revision) for camera in base.cameras]
    config = base.model_copy(update={"cameras": cameras, "calendar": calendar})
    if faults := list(_misfits(config, revision)):
        raise BadRevision(faults)
    return config


def _with_settings(camera: CameraConfig, revision: Revision) -> CameraConfig:
    settings = revision.cameras.get(camera.id)
    update: dict[str, Any] = {}
    if settings is not None:
        update = {"zones": settings.zones, "ground_points": settings.ground_points}
    if revision.calendar is not None:
        update["calendar"] = revision.calendar
    return camera.model_copy(update=update)


def _misfits(config: EdgeConfig, revision: Revision) -> Iterator[str]:
    """What is right in itself and does not fit this device."""
    here = {camera.id: camera for camera in config.cameras}
    for name in revision.cameras:
        if name not in here:
            known = ", ".join(here) or "none"
            yield coded(
                "no_such_camera",
                "cameras.{camera}: this device has no such camera (it has {known})",
                camera=name,
                known=known,
            )
    for name, camera in here.items():
        calendar = camera.calendar or config.calendar
        for fault in calendar_faults(camera.zones, calendar):
            yield coded("of_camera", "cameras.{camera}.{what}", camera=name, what=fault)
        if fault := _ground_fault(camera):
            yield coded("of_camera", "cameras.{camera}.{what}", camera=name, what=fault)


def _ground_fault(camera: CameraConfig) -> str:
    # A vehicle unit has no NumPy and no camera.
    from edge.detect.errors import BadGround  # noqa: PLC0415
    from edge.detect.ground import ground_of  # noqa: PLC0415

    try:
        ground_of(camera)
    except BadGround as fault:
        return words_of(fault)
    return ""


def _told(faults: Sequence[str]) -> dict[str, Any]:
    """Faults for the hub; `said`: their codes, each with its place, for other languages."""
    said = {str(place): code for place, fault in enumerate(faults) if (code := code_of(fault))}
    return {"faults": [str(fault) for fault in faults], **({"said": said} if said else {})}


def _settings(camera: CameraConfig) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        camera.model_dump_json(include=set(CameraSettings.model_fields), by_alias=True)
    )
    return document


def _keep(path: Path, content: bytes) -> None:
    """Whole or not at all, also when the power fails."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
