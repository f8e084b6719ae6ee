"""What can be known to be wrong with a configuration before the agent starts: all of it at once."""

# ruff: noqa: PLC0415 - a vehicle unit has no OpenCV to import

import os
import ssl
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from edge.config import (
    BadConfig,
    BrokerConfig,
    CameraConfig,
    EdgeConfig,
    GatewayConfig,
    ReceiverConfig,
    anchored,
    load_edge,
)
from edge.gps.errors import GpsError
from edge.gps.sources import FileSource, SerialSource, source_at
from edge.trust import believed
from wire.settings import Settings

S = TypeVar("S", bound=Settings)

LONGEST_TEXT = 200
LONGEST_NAME = 64
"""As `wire.envelope` has them: the hub refuses longer ones."""


def faults_in(path: Path) -> list[str]:
    """Every fault of a configuration file, each naming its key, the value and what is allowed.

    Empty when an agent can start with it.
    """
    try:
        config = load_edge(path)
    except BadConfig as fault:
        return [*fault.errors, *_faults_of_the_rest(path, fault.errors)]
    return [
        *_data_dir_faults(config.data_dir),
        *_broker_faults(config.broker),
        *(_model_faults(config.model, dict(enumerate(config.cameras))) if config.cameras else []),
        *_prefixed("cameras", enumerate(config.cameras), _camera_faults),
        *_prefixed("receivers", enumerate(config.receivers), _receiver_faults),
        *(_gateway_faults(config.gateway) if config.gateway else []),
    ]


def _faults_of_the_rest(path: Path, told: list[str]) -> Iterator[str]:
    """Faults of those sections that could be read although others could not."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return
    if not isinstance(document, dict):
        return
    cameras = dict(_readable(document.get("cameras"), CameraConfig))
    sourced = {i: camera for i, camera in cameras.items() if camera.source}
    receivers = dict(_readable(document.get("receivers"), ReceiverConfig))
    brokers = dict(_readable([document.get("broker", {})], BrokerConfig))
    gateways = dict(_readable([_but_its_terminals(document.get("gateway"))], GatewayConfig))
    config = anchored(
        EdgeConfig.model_construct(
            data_dir=Path(),
            broker=brokers.get(0, BrokerConfig()),
            cameras=list(sourced.values()),
            receivers=list(receivers.values()),
            gateway=gateways.get(0),
        ),
        path.absolute().parent,
    )
    yield from _broker_faults(config.broker)
    yield from _prefixed("cameras", zip(sourced, config.cameras, strict=True), _camera_faults)
    listeners = zip(receivers, config.receivers, strict=True)
    yield from _prefixed("receivers", listeners, _receiver_faults)
    if config.gateway is not None:
        yield from _gateway_faults(config.gateway)
    if isinstance(model := document.get("model", "street-n"), str) and document.get("cameras"):
        yield from _model_faults(model, cameras)
    if not any(fault.startswith("document:") for fault in told):
        for i, camera in cameras.items():
            if camera.position is None:
                yield f"cameras.{i}.position: is missing; needed is {{lat, lon}} or {{from}}"
            if not camera.source:
                yield f"cameras.{i}.source: is missing; each camera needs one"


def _but_its_terminals(gateway: object) -> object:
    return {**gateway, "terminals": {}, "open": True} if isinstance(gateway, dict) else None


def _readable(section: object, kind: type[S]) -> Iterator[tuple[int, S]]:
    for i, entry in enumerate(section if isinstance(section, list) else []):
        try:
            yield i, kind.model_validate(entry)
        except ValidationError:
            continue


def _prefixed(
    section: str, entries: Iterable[tuple[int, S]], faults: Callable[[S], Iterable[str]]
) -> Iterator[str]:
    for i, entry in entries:
        yield from (f"{section}.{i}.{fault}" for fault in faults(entry))


def _data_dir_faults(folder: Path) -> Iterator[str]:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not there.is_dir():
        yield f"data_dir: {folder}: {there} is not a folder"
    elif not os.access(there, os.W_OK | os.X_OK):
        yield f"data_dir: {folder}: we may not write in {there}"


def _broker_faults(broker: BrokerConfig) -> Iterator[str]:
    if broker.password_file is not None:
        yield from secret_file_faults("broker.password_file", broker.password_file)
    if broker.ca_file is not None:
        try:
            believed(broker.ca_file)
        except ssl.SSLError:
            yield f"broker.ca_file: {broker.ca_file}: holds no certificate in PEM form"
        except OSError as fault:
            yield f"broker.ca_file: {broker.ca_file}: cannot be read: {fault.strerror}"


def secret_file_faults(key: str, path: Path) -> Iterator[str]:
    """What is wrong with a file that holds a password or a key."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as fault:
        reason = getattr(fault, "strerror", None) or "it is not text"
        yield f"{key}: {path}: cannot be read: {reason}"
        return
    if not secret:
        yield f"{key}: {path}: is empty; it must hold the secret in one line"
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        yield (
            f"{key}: {path}: everybody on this machine may read or change it"
            f" (mode {stat.S_IMODE(mode):04o}); allowed is 0600 or 0640: chmod 600 {path}"
        )


def _gateway_faults(gateway: GatewayConfig) -> Iterator[str]:
    if gateway.secret_file is not None:
        yield from secret_file_faults("gateway.secret_file", gateway.secret_file)
    try:
        ip_address(gateway.host)
    except ValueError:
        yield f"gateway.host: {gateway.host!r} is no address; 0.0.0.0 listens on every one"


def _model_faults(model: str, cameras: Mapping[int, CameraConfig]) -> Iterator[str]:
    try:
        from edge.detect.errors import DetectError
        from edge.detect.selftest import open_proven
        from edge.detect.vocabulary import vocabulary_faults
    except ImportError as fault:
        yield f"model: {_not_installed(fault, 'edge')}"
        return
    try:
        says = open_proven(model).labels
    except DetectError as fault:
        yield f"model: {fault}"
        return
    for i, camera in cameras.items():
        yield from (f"cameras.{i}.{fault}" for fault in vocabulary_faults(camera, says))


def _camera_faults(camera: CameraConfig) -> Iterator[str]:
    yield from _too_long(LONGEST_TEXT, name=camera.name)
    for i, zone in enumerate(camera.zones):
        yield from _too_long(LONGEST_TEXT, **{f"zones.{i}.name": zone.name})
    try:
        from edge.camera.errors import CameraError
        from edge.camera.sources import check_source
        from edge.detect.errors import BadGround
        from edge.detect.ground import ground_of
    except ImportError as fault:
        yield f"source: {_not_installed(fault, 'edge')}"
        return
    try:
        check_source(camera.source)
    except CameraError as fault:
        yield f"source: {fault}"
    try:
        ground_of(camera)
    except BadGround as fault:
        yield str(fault) if str(fault).startswith("ground_points") else f"ground_points: {fault}"


def _receiver_faults(receiver: ReceiverConfig) -> Iterator[str]:
    yield from _too_long(LONGEST_NAME, vehicle=receiver.vehicle)
    yield from _too_long(LONGEST_TEXT, plate=receiver.plate)
    if not receiver.vehicle:
        yield "vehicle: is empty; each receiver names its vehicle"
    try:
        source = source_at(receiver.source)
    except GpsError as fault:
        yield f"source: {fault}"
        return
    if isinstance(source, FileSource) and not source.path.is_file():
        yield f"source: {source.path}: no such file"
    if isinstance(source, SerialSource) and not source.device.exists():
        yield f"source: {source.device}: no such device; is it plugged in?"


def _too_long(most: int, **values: str) -> Iterator[str]:
    for key, value in values.items():
        if len(value) > most:
            yield f"{key}: {len(value)} characters, at most {most} are allowed"


def _not_installed(fault: ImportError, extra: str) -> str:
    return f"{fault.name} is not installed; pip install 'tianyan[{extra}]'"
