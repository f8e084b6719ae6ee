"""Which model a device looks with: taken from the hub, tested before use, watched after, undone.

```
update ─► downloading ─► testing ─► trial ─► active
                 └──────────┴─► failed   └─► fell_back
```
What is decided is on disk before it is done, so a crash or a cut at any moment leaves a device
that looks: with the model on trial, which a third crash ends, or with the one before. The model
that the device's file names is the last to fall back to; when the file names another one, that
counts.
"""

import logging
import queue
import random
import shutil
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from edge.detect.detectors import Detector
from edge.detect.errors import BadModel
from edge.detect.manifest import Manifest, find_manifest, load_manifest
from edge.detect.selftest import SelfTestFailed, self_test
from edge.detect.trial import PATIENCE_S, SwitchedDetector
from edge.model_download import CannotHave, NewAddressNeeded, fetch, unpacked
from wire.bundle import BadBundle
from wire.coded import code_of, coded, cut, words_of
from wire.update import ModelState, ModelUpdate, UpdateReport, UpdateState

log = logging.getLogger(__name__)

LAST_RESORT = "street-n"
"""Looks where the model of the device's file does not answer as it should."""

MOST_STARTS = 3
LEAST_ANSWERS = 5
"""Looks that a model must have answered before its trial can end well."""

RETRY_FIRST_S, RETRY_LAST_S = 2.0, 60.0
TELL_EVERY_S = 5.0
LONGEST_WHY = 500
UNDER_WAY = frozenset({UpdateState.DOWNLOADING, UpdateState.TESTING})
FINAL = frozenset({UpdateState.ACTIVE, UpdateState.FAILED, UpdateState.FELL_BACK})

Open = Callable[[str | Path], Detector]


class Kept(msgspec.Struct):
    """What is on disk. `base`: the model of the device's file; `active`, `trial`: folders here.

    `starts`: of the agent while `trial` was on trial. `update`: the one under way or last done.
    """

    base: str = ""
    active: str = ""
    trial: str = ""
    starts: int = 0
    update: ModelUpdate | None = None
    report: UpdateReport | None = None


class ModelKeeper:
    """The model in use and the updates of it. Safe to use from several threads."""

    def __init__(
        self,
        folder: Path,
        configured: str,
        open_model: Open,
        on_change: Callable[[], None],
        *,
        patience_s: float = PATIENCE_S,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Open what was decided last, and failing that what came before it.

        `configured`: the model of the device's file. `trust`: as of `edge.trust`. Raises BadModel
        when even the configured one does not open.
        """
        self._folder, self._configured = folder, configured
        self._open, self._on_change = open_model, on_change
        self._patience_s, self._trust = patience_s, trust
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._asked: queue.SimpleQueue[ModelUpdate | None] = queue.SimpleQueue()
        self._trial_began_s = 0.0
        self._is_ending = False
        self._told_s = 0.0
        self._kept = self._read()
        self.detector = SwitchedDetector(self._first())
        self._go_on_with_trial()
        self._thread = threading.Thread(target=self._work, name="model-update", daemon=True)

    # ------------------------------------------------------------ life

    def start(self) -> None:
        """Take updates from now on; one that was cut short goes on."""
        self._thread.start()
        update, report = self._kept.update, self._kept.report
        if update is not None and report is not None and report.state in UNDER_WAY:
            self._asked.put(update)

    def ask_to_stop(self) -> None:
        """Begin to end; what is under way goes on at the next start."""
        self._stopping.set()
        self._asked.put(None)

    def take(self, update: ModelUpdate) -> None:
        """The hub wants this model; said again it changes nothing but the address."""
        with self._lock:
            known = self._kept.report
            if known is not None and known.id == update.id and known.state in FINAL:
                self._on_change()
                return
        self._asked.put(update)

    def tick(self) -> None:
        """Time has passed: a trial without a fault ends well."""
        with self._lock:
            update, report = self._kept.update, self._kept.report
            if not self._kept.trial or update is None or report is None:
                return
            lasted = time.monotonic() - self._trial_began_s >= update.trial_s
            if lasted and self.detector.answers >= LEAST_ANSWERS and not self._is_ending:
                self._is_ending = True
                self.detector.keep(lambda: self._end_well(update))

    def state(self) -> ModelState:
        """What the device says of its model."""
        with self._lock:
            manifest = self._manifest()
            report = self._kept.report
        if manifest is None or manifest.name != self.detector.name:
            return ModelState(self.detector.name, update=report)
        return ModelState(manifest.name, manifest.version[:200], manifest.sha256, report)

    @property
    def title(self) -> str:
        """The model in use as people and alerts name it: with its version."""
        state = self.state()
        return f"{state.name} {state.version}".strip()[:64]

    # ------------------------------------------------------------ at the start

    def _read(self) -> Kept:
        try:
            kept = msgspec.json.decode((self._folder / "state.json").read_bytes(), type=Kept)
        except FileNotFoundError:
            kept = Kept(base=self._configured)
        except (OSError, msgspec.MsgspecError) as fault:
            log.warning(
                "models: state.json cannot be read (%s): back to %s", fault, self._configured
            )
            kept = Kept(base=self._configured)
        if kept.base != self._configured:
            log.info("models: the device's file names %s now", self._configured)
            kept = Kept(base=self._configured)
        return kept

    def _first(self) -> Detector:
        """The model that is not on trial; a broken one leaves the configured one."""
        if self._kept.active:
            try:
                return self._open(self._folder / self._kept.active)
            except BadModel as fault:
                log.warning("model %s cannot be used any more: %s", self._kept.active, fault)
                self._kept.active = ""
                if self._kept.report is not None and not self._kept.trial:
                    self._report(self._kept.report, UpdateState.FELL_BACK, words_of(fault))
                self._write()
        try:
            return self._open(self._configured)
        except SelfTestFailed as fault:
            if self._configured == LAST_RESORT:
                raise
            log.critical("%s; looking with %s instead", fault, LAST_RESORT)
            return self._open(LAST_RESORT)

    def _go_on_with_trial(self) -> None:
        if not self._kept.trial:
            return
        self._kept.starts += 1
        if self._kept.starts > MOST_STARTS:
            message = "the agent was started {count} times while it was on trial"
            self._fall_back(coded("many_starts", message, count=MOST_STARTS))
            return
        self._write()
        try:
            self._try_out(self._open(self._folder / self._kept.trial))
        except BadModel as fault:
            self._fall_back(words_of(fault))

    # ------------------------------------------------------------ the update's thread

    def _work(self) -> None:
        while not self._stopping.is_set():
            update = self._asked.get()
            if update is None or self._stopping.is_set():
                continue
            try:
                self._carry_out(update)
            except NewAddressNeeded as need:
                log.info("model %s %s waits: %s", update.model, update.version, need)
            except (CannotHave, BadBundle, BadModel) as fault:
                self._say(update, UpdateState.FAILED, words_of(fault))
            except Exception as fault:
                log.exception("model %s %s", update.model, update.version)
                self._say(update, UpdateState.FAILED, f"{type(fault).__name__}: {fault}")

    def _carry_out(self, update: ModelUpdate) -> None:
        with self._lock:
            known = self._kept.report
            if (
                known is not None
                and known.id == update.id
                and known.state in (FINAL | {UpdateState.TRIAL})
            ):
                return
            if self._kept.trial:
                self._fall_back(f"update {update.id} came before its trial was over")
        self._say(update, UpdateState.DOWNLOADING)
        bundle = self._fetch(update)
        if bundle is None:
            return
        self._say(update, UpdateState.TESTING)
        name = f"{update.model}-{update.sha256[:12]}"
        folder = unpacked(bundle, self._folder / name)
        detector = self._tested(update, folder)
        bundle.unlink()
        with self._lock:
            self._kept.trial, self._kept.starts = name, 0
            self._say(update, UpdateState.TRIAL)
            self._try_out(detector)

    def _fetch(self, update: ModelUpdate) -> Path | None:
        """Try until it is here, the hub refuses its address or says something newer, or we stop.

        Whether an address still holds is the hub's word alone: this machine's clock may be wrong.
        """
        wait_s = RETRY_FIRST_S
        while not self._stopping.is_set():
            try:
                return fetch(
                    update,
                    self._folder / "incoming",
                    lambda here: self._tell_bytes(update, here),
                    self._trust,
                )
            except OSError as fault:
                log.info("model %s %s put off: %s", update.model, update.version, fault)
            if not self._asked.empty():
                return None  # the hub has said something newer
            self._stopping.wait(wait_s * random.uniform(0.5, 1))  # noqa: S311
            wait_s = min(RETRY_LAST_S, wait_s * 2)
        return None

    def _tested(self, update: ModelUpdate, folder: Path) -> Detector:
        """The model, opened and found to be what was announced and to answer as it should.

        Raises BadModel.
        """
        manifest = load_manifest(find_manifest(folder))
        if (manifest.name, manifest.version) != (update.model, update.version):
            raise BadModel(
                coded(
                    "other_model",
                    "the bundle holds {found}, announced was {wanted}",
                    found=f"{manifest.name} {manifest.version}",
                    wanted=f"{update.model} {update.version}",
                )
            )
        missing = [label for label in self.detector.labels if label not in manifest.labels]
        if missing:
            message = "labels: it cannot say {labels}, which is in use here"
            raise BadModel(coded("lacks_labels", message, labels=", ".join(missing)))
        detector = self._open(folder)
        ms = self_test(detector, folder)
        log.info("model %s %s: self-test passed, %.0f ms", manifest.name, manifest.version, ms)
        return detector

    # ------------------------------------------------------------ decisions

    def _try_out(self, detector: Detector) -> None:
        self._trial_began_s, self._is_ending = time.monotonic(), False
        self.detector.try_out(detector, self._fall_back, self._patience_s)

    def _end_well(self, update: ModelUpdate) -> None:
        with self._lock:
            self._kept.active, self._kept.trial = self._kept.trial, ""
            self._say(update, UpdateState.ACTIVE)
            self._tidy()

    def _fall_back(self, why: str) -> None:
        with self._lock:
            update = self._kept.update
            self._kept.trial = ""
            if update is not None:
                self._say(update, UpdateState.FELL_BACK, why)

    def _tell_bytes(self, update: ModelUpdate, received: int) -> None:
        if self._stopping.is_set():
            raise OSError("the agent stops")
        if time.monotonic() - self._told_s > TELL_EVERY_S:
            self._told_s = time.monotonic()
            self._say(update, UpdateState.DOWNLOADING, received=received)

    def _say(
        self, update: ModelUpdate, state: UpdateState, why: str = "", received: int = 0
    ) -> None:
        if why:
            log.error("model %s %s: %s: %s", update.model, update.version, state, why)
        else:
            log.info("model %s %s: %s", update.model, update.version, state)
        with self._lock:
            self._kept.update = update
            report = UpdateReport(update.id, update.model, update.version, state)
            self._report(msgspec.structs.replace(report, received=received), state, why)
            self._write()
        self._on_change()

    def _report(self, report: UpdateReport, state: UpdateState, why: str) -> None:
        why = cut(why, LONGEST_WHY)
        self._kept.report = msgspec.structs.replace(
            report, state=state, why=str(why), said=code_of(why)
        )

    def _write(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / "state.part"
        part.write_bytes(msgspec.json.encode(self._kept))
        part.replace(self._folder / "state.json")

    def _manifest(self) -> Manifest | None:
        """Of the model in use."""
        where: str | Path = self._configured
        if folder := self._kept.trial or self._kept.active:
            where = self._folder / folder
        try:
            return _read_manifest(find_manifest(where))
        except BadModel:
            return None

    def _tidy(self) -> None:
        """Models that nobody will go back to take no room."""
        kept = {self._kept.active, self._kept.trial, "incoming"}
        for path in _folders(self._folder):
            if path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)


def _folders(folder: Path) -> Sequence[Path]:
    return [path for path in folder.iterdir() if path.is_dir()]


def _read_manifest(path: Path) -> Manifest:
    import yaml  # noqa: PLC0415

    return Manifest.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
