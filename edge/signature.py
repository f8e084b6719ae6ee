"""The device's word for its evidence: every alert's files are signed as it is stored."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from edge.device_key import DeviceKey
from wire.alert import Alert, EvidenceRef
from wire.statement import Scene, scene_of, signed_bytes, statement_of


class Signer:
    """Signs for one device."""

    def __init__(self, key: DeviceKey, config_rev: Callable[[], str] = str) -> None:
        """Sign with `key`; the `config_rev` in force is said in every alert."""
        self._key = key
        self._config_rev = config_rev

    @property
    def config_rev(self) -> str:
        """The revision of the configuration in force."""
        return self._config_rev()

    def finish(self, message: Struct) -> Struct:
        """An alert with its configuration's revision and its files' signatures; else as it is."""
        if not isinstance(message, Alert):
            return message
        alert = replace(message, config_rev=self.config_rev)
        return replace(alert, evidence=self.sign(scene_of(alert), alert.evidence))

    def sign(self, scene: Scene, refs: list[EvidenceRef]) -> list[EvidenceRef]:
        """Names of files with the signature over what they show."""
        return [
            replace(ref, sig=self._key.sign(signed_bytes(statement_of(scene, ref)))) for ref in refs
        ]
