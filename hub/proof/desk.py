"""Photos come in and are judged: bounded, checked, locked away, and shown without faces."""

import hashlib
import io
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.engine import Connection

from hub import audit, events
from hub.alerts import store as alert_store
from hub.cases import store as case_store
from hub.cases.case import Case
from hub.config import HubConfig
from hub.errors import Problem, not_found
from hub.events import Change
from hub.evidence import refs, store as evidence_store
from hub.evidence.file import IMAGE_TYPES, check_picture
from hub.evidence.order_key import key_of
from hub.evidence.store import Differs, Vault, sync
from hub.looks import store as look_store
from hub.proof import likeness, picture, store as proof_store
from hub.proof.album import Album, Print, copy_among, first_copy
from hub.proof.likeness import Grey
from hub.proof.photo import Bounds, FixPhoto, Match, Taken, Use, judge
from hub.proof.picture import Cover
from hub.roles import Actor
from hub.store import Store, now
from wire.coded import coded, joined

BEGINS = ("dispatch", "rework")
"""After these steps a fix may begin; a photo of before shows what was there before."""
MOST_PICTURES = 24
MOST_PHOTOS = 100
PERSON = "@"
"""Begins the name of a person where a file's device is noted."""


@dataclass(frozen=True)
class Incoming:
    """A file that was sent whole. Of a clip the bytes lie in `path`, of a picture in `data`."""

    type: str
    sha256: str
    size: int
    data: bytes = b""
    path: Path | None = None


@dataclass(frozen=True)
class ProofDesk:
    """What photos are judged with. `cover`: None where nobody can cover faces and plates."""

    config: HubConfig
    vault: Vault
    album: Album
    cover: Cover | None = None

    def take(
        self, store: Store, case_id: int, file: Incoming, *, use: Use, told: Taken, actor: Actor
    ) -> FixPhoto:
        """Keep a photo for a case and judge it; the same file of the same person is one photo.

        Raises Problem for a picture that is none, too many of them, or a case that is not there.
        """
        with store.read() as tx:
            case = _case(tx, case_id)
            mine = proof_store.photos_of(tx, case_id)
            known = _evidence_of(tx, case)
        if again := _sent_before(mine, use, file.sha256, actor):
            return again
        if len(mine) >= MOST_PHOTOS:
            message = coded(
                "photos_of_case",
                "case {number} has {count} photos",
                number=case.number,
                count=len(mine),
            )
            raise Problem(
                409, "too_many", message, coded("at_most_so", "at most {most}", most=MOST_PHOTOS)
            )
        taken, wanted, shown = self._read(file, told)
        at = now()
        photo = FixPhoto(
            id=0,
            case_id=case_id,
            use=use,
            sha256=file.sha256,
            shown=shown.sha256 if shown else "",
            type=file.type,
            size=file.size,
            by=actor.name,
            uploaded_at=at,
            taken=taken,
            phash=f"{int(wanted.plain[0]):016x}" if wanted else "",
            windows=likeness.to_bytes(wanted.plain) if wanted else b"",
        )
        with store.read() as tx:
            match = self._match(tx, photo, wanted, known)
        self._keep(file, shown)
        with store.write() as tx:
            case_store.lock(tx, case_id)  # the same file may be coming twice at once
            if again := _sent_before(proof_store.photos_of(tx, case_id), use, file.sha256, actor):
                return again
            judged = self._judged(tx, case, photo, match, at)
            stored = proof_store.add_photo(tx, judged)
            self._note_files(tx, file, shown, actor, at)
            said = " ".join((stored.verdict, *stored.reasons, stored.copy_of)).strip()
            act = audit.Entry(
                at, actor.name, actor.role, "case", str(case_id), f"photo {use}",
                note=f"{stored.id} {file.sha256[:12]} {said}",
            )  # fmt: skip
            audit.append(tx, [act])
            events.record(tx, [Change("case", str(case_id))], at)
        return stored

    def claimed(
        self, tx: Connection, case: Case, ids: Sequence[int], use: Use, at: datetime
    ) -> list[FixPhoto]:
        """The photos that a feedback or a visit names, judged as of now.

        Raises Problem for photos that are not there, were used before, or are refused.
        """
        found = proof_store.load_photos(tx, ids)
        for name in ids:
            photo = found.get(name)
            if photo is None or photo.case_id != case.id or photo.use is not use:
                raise Problem(
                    422,
                    "bad_photo",
                    coded(
                        "photo_elsewhere",
                        "photo {photo} is no {use} photo of case {number}",
                        photo=name,
                        use=use,
                        number=case.number,
                    ),
                    coded(
                        "uploaded_photo",
                        "an id that POST /api/cases/{case}/photos?use={use} gave",
                        case=case.id,
                        use=use,
                    ),
                )
            if photo.used_at is not None:
                raise Problem(
                    422,
                    "photo_used",
                    coded("photo_spent", "photo {photo} was used before", photo=name),
                    coded("new_photo", "a new photo"),
                )
        judged = [self._judged_again(tx, case, found[name], at) for name in dict.fromkeys(ids)]
        refuse = set(self.config.proof.refuse)
        bad = [(photo, [r for r in photo.reasons if r in refuse]) for photo in judged]
        told = [
            coded("photo_bad", "photo {photo}: {reasons}", photo=photo.id, reasons=", ".join(why))
            for photo, why in bad
            if why
        ]
        if told:
            raise Problem(
                422,
                "photo_refused",
                joined(told),
                coded("photos_here_now", "photos of this place, taken now"),
            )
        return judged

    def _judged(
        self, tx: Connection, case: Case, photo: FixPhoto, match: Match | None, at: datetime
    ) -> FixPhoto:
        proof = self.config.proof
        bounds = Bounds(
            at, (case.lat, case.lon), proof.far_m, begun_at(tx, case), timedelta(hours=proof.old_h)
        )
        return replace(
            photo,
            reasons=judge(photo.taken, bounds, match),
            copy_of=match.of if match else "",
            copy_of_case=match.case_id if match else None,
        )

    def _judged_again(self, tx: Connection, case: Case, photo: FixPhoto, at: datetime) -> FixPhoto:
        """As of the feedback: later than the upload, and beside what was used since."""
        match = None
        if photo.copy_of:
            is_same = any(str(reason) == "same_file" for reason in photo.reasons)
            match = Match(photo.copy_of, photo.copy_of_case, same_file=is_same)
        else:
            match = self._used_since(tx, photo)
        return self._judged(tx, case, photo, match, at)

    def _used_since(self, tx: Connection, photo: FixPhoto) -> Match | None:
        others = [
            each
            for each in proof_store.photos_of(tx, photo.case_id)
            if each.id != photo.id and each.used_at and each.used_at > photo.uploaded_at
        ]
        for each in others:
            if each.sha256 == photo.sha256:
                return Match(f"photo:{each.id}", each.case_id, same_file=True)
        mine = self._pixels(photo.sha256) if others and photo.phash else None
        for each in others if mine is not None else []:
            other = self._pixels(each.sha256) if each.phash else None
            if mine is not None and other is not None and likeness.compare(mine, other).is_copy:
                return Match(f"photo:{each.id}", each.case_id, same_file=False)
        return None

    def _match(
        self, tx: Connection, photo: FixPhoto, wanted: Print | None, known: Sequence[str]
    ) -> Match | None:
        if evidence_store.is_by_device(tx, photo.sha256, PERSON):
            return Match(f"evidence:{photo.sha256}", None, same_file=True)
        self.album.refresh(tx)
        match = first_copy(tx, self.album, photo, wanted, self._pixels)
        if match is None and wanted is not None:
            match = copy_among(wanted, known, self._pixels, photo.case_id)
        return match

    def _read(self, file: Incoming, told: Taken) -> tuple[Taken, Print | None, "Shown | None"]:
        """What the picture says, what it is compared by, and the copy that is shown."""
        if file.type not in IMAGE_TYPES:
            return told, None, None
        check_picture(io.BytesIO(file.data), self.config.evidence.max_pixels)
        own, pixels = picture.read(file.data, self.config.zone)
        return _both(own, told), Print.of(pixels), self._shown(file.data)

    def _shown(self, data: bytes) -> "Shown | None":
        covered = self.cover(picture.bare(data)) if self.cover else None
        return Shown(hashlib.sha256(covered).hexdigest(), covered) if covered else None

    def _keep(self, file: Incoming, shown: "Shown | None") -> None:
        """On the disk before any row speaks of it."""
        if file.path is not None:
            self.vault.place(file.path, file.sha256)
        else:
            self.vault.place_sealed(file.data, file.sha256)
        if shown is not None and not self.vault.is_here(shown.sha256):
            temporary = self.vault.incoming / f"{secrets.token_hex(8)}.tmp"
            temporary.write_bytes(shown.data)
            sync(temporary)
            self.vault.place(temporary, shown.sha256)

    def _note_files(
        self, tx: Connection, file: Incoming, shown: "Shown | None", actor: Actor, at: datetime
    ) -> None:
        by = f"{PERSON}{actor.name}"[:64]
        evidence_store.add(
            tx, file.sha256, kind=file.type, size=file.size, device=by, at=at, sealed=True
        )
        if shown is not None:
            evidence_store.add(
                tx, shown.sha256, kind="image/jpeg", size=len(shown.data), device=by, at=at
            )

    def _pixels(self, sha256: str) -> Grey | None:
        try:
            return picture.seen(self.vault.read(sha256))
        except (Differs, OSError):
            return None


@dataclass(frozen=True)
class Shown:
    """The copy of a picture that is shown."""

    sha256: str
    data: bytes


def begun_at(tx: Connection, case: Case) -> datetime | None:
    """Since when the work that is claimed now could be done; None before any dispatch."""
    steps = [act.at for act in audit.of(tx, "case", str(case.id)) if act.action in BEGINS]
    return steps[-1] if steps else None


def _both(own: Taken, told: Taken) -> Taken:
    """What the file says counts before what was said with it."""
    at, at_from = (own.at, own.at_from) if own.at else (told.at, told.at_from)
    return replace(own if own.place else told, at=at, at_from=at_from)


def _case(tx: Connection, case_id: int) -> Case:
    case = case_store.load(tx, [case_id]).get(case_id)
    if case is None:
        raise not_found("case", case_id)
    return case


def _sent_before(
    photos: Sequence[FixPhoto], use: Use, sha256: str, actor: Actor
) -> FixPhoto | None:
    """The same file sent again by the same person, as a queue does after a cut."""
    return next(
        (
            each
            for each in photos
            if (each.sha256, each.use, each.by) == (sha256, use, actor.name)
            and each.used_at is None
        ),
        None,
    )


def _evidence_of(tx: Connection, case: Case) -> list[str]:
    """Pictures of the case's alerts and of the looks for it that are here, the first ones."""
    alerts = alert_store.of_case(tx, [case.id])[case.id]
    looks = look_store.of_case(tx, case.id, alerts, MOST_PICTURES)
    keys = [*alerts, *(key_of(look.order.id) for look in looks)]
    noted = refs.pictures_of(tx, keys)
    files = [each for key in keys for each in noted[key] if each.held and "image" in each.type]
    return list(dict.fromkeys(each.sha256 for each in files))[:MOST_PICTURES]
