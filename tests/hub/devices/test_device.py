import dataclasses

import pytest

from hub.devices.device import Device, is_blind, is_newer
from tests.hub.world import EPOCH, state

KNOWN = Device("cam-1", online=True, epoch=EPOCH, session=5)
OTHER = "f" * 16


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        (state(session=5), KNOWN, True),
        (state(session=6), KNOWN, True),
        (state(session=4), KNOWN, False),
        (state(online=False, session=5), KNOWN, True),
        (state(online=False, session=4), KNOWN, False),
        (state(session=0, epoch=OTHER), KNOWN, True),
        (state(online=False, session=9, epoch=OTHER), KNOWN, False),
        (state(online=False, session=0), Device("cam-1"), True),
        (state(session=0), dataclasses.replace(KNOWN, online=False), False),
    ],
)
def test_is_newer(word, known, expected):
    assert is_newer(word, known) is expected


@pytest.mark.parametrize(
    ("camera_state", "expected"),
    [("ok", False), ("starting", True), ("black", True), ("unreachable", True)],
)
def test_is_blind(camera_state, expected):
    assert is_blind(camera_state) is expected
