"""The first view of a camera, kept over restarts: drawn streets, real files."""

import pytest

from edge.camera.kept_view import KeptView
from edge.camera.view import KEEP_FIRST, UNTOLD_LOOKS, View, ViewWatch
from edge.config import CameraConfig
from tests.edge.camera.footage import street
from tests.edge.camera.test_view import SHIFTED, STILL, noisy, wide, window
from wire.status import CameraState
from wire.zone import ZoneConfig

CAMERA = CameraConfig(id="gate")


def watch(folder, camera=CAMERA):
    return ViewWatch(kept=KeptView(folder / "gate.npz", camera))


@pytest.fixture
def before(tmp_path):
    """A folder in which a run has left its view."""
    first = watch(tmp_path)
    for number in range(KEEP_FIRST + 1):
        first.look(noisy(window(wide()), 3 + number % 3))
    return tmp_path


def test_a_camera_turned_while_nobody_watched_is_known_as_turned(before):
    assert watch(before).look(window(wide(), 60)) == SHIFTED


def test_one_that_stayed_is_still_at_the_first_look(before):
    again = watch(before)
    assert again.look(window(wide())) == STILL
    assert again.look(window(wide(), 60)) == SHIFTED


def test_of_another_hour_nothing_is_claimed_and_the_view_is_taken_anew(before):
    again = watch(before)
    other = street(640, 360, seed=9)
    views = [again.look(other) for _ in range(UNTOLD_LOOKS + 1)]
    assert views[: UNTOLD_LOOKS - 1] == [View()] * (UNTOLD_LOOKS - 1)
    assert views[-1] == STILL
    assert all(view.flaw is CameraState.OK for view in views)


def test_zones_that_are_drawn_anew_begin_a_view_of_their_own(before):
    zone = ZoneConfig(id="pavement", polygon=[(0.1, 0.5), (0.9, 0.5), (0.9, 0.9)])
    redrawn = CAMERA.model_copy(update={"zones": [zone]})
    assert watch(before, redrawn).look(window(wide(), 60)) == STILL


@pytest.mark.parametrize("damage", [b"", b"no file of ours"])
def test_a_damaged_file_is_no_view(before, damage):
    (before / "gate.npz").write_bytes(damage)
    assert watch(before).look(window(wide(), 60)) == STILL
