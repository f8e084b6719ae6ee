import base64
import stat

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec.structs import replace

from edge.device_key import BadKey, DeviceKey
from edge.signature import Signer
from tests.wire.test_codec import a_track, an_alert
from wire.alert import EvidenceRef
from wire.codec import decode, encode
from wire.statement import scene_of, signed_bytes, statement_of

REF = EvidenceRef("a" * 64, 1000, "image/jpeg", "clean", at=1_700_000_000_000, original="b" * 64)


def raw(text):
    return base64.b64decode(text + "=" * (-len(text) % 4))


def test_a_key_is_drawn_once_and_kept_for_its_owner(tmp_path):
    path = tmp_path / "edge" / "device-key.pem"
    key = DeviceKey(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(raw(key.public)) == 32
    assert DeviceKey(path).public == key.public


def test_a_damaged_key_is_named_and_not_replaced(tmp_path):
    path = tmp_path / "device-key.pem"
    path.write_text("nonsense")
    with pytest.raises(BadKey, match=r"device-key.pem"):
        DeviceKey(path)
    assert path.read_text() == "nonsense"


def test_an_alert_is_signed_so_that_the_other_side_can_check_it(tmp_path):
    key = DeviceKey(tmp_path / "key")
    # A whole number is written differently by Python and by a decoder of floats.
    alert = an_alert(lat=32, acc=5, evidence=[REF])
    arrived = decode("alert", encode(Signer(key, lambda: "rev-1").finish(alert)))
    assert arrived.config_rev == "rev-1"
    (ref,) = arrived.evidence
    public = Ed25519PublicKey.from_public_bytes(raw(key.public))
    public.verify(raw(ref.sig), signed_bytes(statement_of(scene_of(arrived), ref)))
    for changed in (replace(arrived, source="other"), replace(arrived, lat=33.0)):
        with pytest.raises(InvalidSignature):
            public.verify(raw(ref.sig), signed_bytes(statement_of(scene_of(changed), ref)))


def test_other_messages_stay_as_they_are(tmp_path):
    track = a_track()
    assert Signer(DeviceKey(tmp_path / "key")).finish(track) is track
