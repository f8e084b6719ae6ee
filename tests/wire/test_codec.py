from pathlib import Path

import msgspec
import pytest

from wire.alert import Alert, AlertState, Box
from wire.codec import MESSAGES, Code, Refused, decode, encode, fingerprint
from wire.track import Track, TrackPoint

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))


def an_alert(**changes):
    fields = {
        "dev": "box-0007",
        "epoch": "9f3c0a71be52d814",
        "seq": 1287,
        "ts": 1763800123456,
        "alert": "a-1",
        "state": AlertState.NEW,
        "source": "cam-1",
        "label": "garbage",
        "since": 1763800100000,
        "lat": 32.69,
        "lon": 109.02,
        "score": 0.9,
        "boxes": [Box("garbage", 0.9, 0.1, 0.2, 0.3, 0.4)],
    }
    return Alert(**(fields | changes))


def a_track():
    fixes = [TrackPoint(5, 1763800123456, 109.02, 32.69, 36.5, None)]
    return Track(
        dev="car-0007", epoch="9f3c0a71be52d814", seq=5, ts=1763800123456, vehicle="v-1",
        fixes=fixes,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "message"), [("alert", an_alert()), ("track", a_track())])
def test_what_is_written_is_read_back(name, message):
    assert decode(name, encode(message)) == message


def changed(**fields):
    return msgspec.json.encode(msgspec.to_builtins(an_alert()) | fields)


@pytest.mark.parametrize(
    ("payload", "code", "says"),
    [
        (b"", Code.JSON, "truncated"),
        (b"{", Code.JSON, "truncated"),
        (b"\xff\xfe", Code.JSON, "alert:"),
        (b"[" * 20_000, Code.SIZE, "16384"),
        (b"[" * 10_000, Code.SCHEMA, "object"),
        (b"[]", Code.SCHEMA, "object"),
        (changed(v=2), Code.VERSION, r"\$\.v"),
        (changed(lat=90.5), Code.SCHEMA, r"\$\.lat"),
        (changed(lat=None), Code.SCHEMA, r"\$\.lat"),
        (changed(lon="109"), Code.SCHEMA, r"\$\.lon"),
        (changed(epoch="x"), Code.SCHEMA, r"\$\.epoch"),
        (changed(seq=-1), Code.SCHEMA, r"\$\.seq"),
        (changed(state="maybe"), Code.SCHEMA, r"\$\.state"),
        (changed(score=1.2), Code.SCHEMA, r"\$\.score"),
        (changed(label="x" * 65), Code.SCHEMA, r"\$\.label"),
        (changed(boxes=[{"label": "a"}]), Code.SCHEMA, r"\$\.boxes\[0\]"),
        (changed().replace(b'"score":0.9', b'"score":NaN', 1), Code.JSON, "alert:"),
    ],
)
def test_a_wrong_message_is_refused_with_its_code_and_place(payload, code, says):
    with pytest.raises(Refused, match=says) as refused:
        decode("alert", payload)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"", "json_cut"), (b"{]", "bad_json_at"), (b'{"dev":"\xff"}', "no_utf8"),
        (b"{}", "member_missing"), (b"[]", "other_form"), (changed(epoch=1), "other_form"),
        (changed(seq=-1), "beyond_bound"), (changed(label="x" * 65), "other_length"),
        (changed(dev="A"), "other_pattern"), (changed(state="maybe"), "no_such_value"),
    ],
)  # fmt: skip
def test_why_a_message_is_refused_has_a_code_of_its_own(payload, says):
    with pytest.raises(Refused) as refused:
        decode("alert", payload)
    message = refused.value.message
    assert (message.values["message"], message.values["why"].code) == ("alert", says)
    assert message.code == ("bad_message_at" if " - at `$" in message else "bad_message")
    assert message.endswith(message.values.get("place", "") + "`" * (" - at `$" in message))


def test_unknown_fields_are_ignored():
    assert decode("alert", changed(colour="red")) == an_alert()


def test_the_fingerprint_tells_content_but_not_lateness():
    assert fingerprint(an_alert(hist=True)) == fingerprint(an_alert())
    assert fingerprint(an_alert(score=0.8)) != fingerprint(an_alert())


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_old_messages_stay_readable(path):
    name = path.stem.split("-")[0]
    message = decode(name, path.read_bytes())
    assert isinstance(message, MESSAGES[name])


def test_there_is_an_old_message_of_every_kind():
    assert {path.stem.split("-")[0] for path in SAMPLES} == set(MESSAGES)
