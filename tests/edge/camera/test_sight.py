from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from edge.camera.frame import Frame, Whole
from edge.camera.sight import RecordedSight
from edge.camera.sources import open_source
from edge.config import CameraConfig
from tests.edge.camera.footage import record, street
from wire.status import CameraState as S

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
STREET = street(640, 360)


def frames(seconds, draw):
    for index in seconds:
        noise = np.random.default_rng(index).normal(0, 2, STREET.shape)
        picture = (draw(index).astype(np.float32) + noise).clip(0, 255).astype(np.uint8)
        yield Frame(Whole(picture), BEGIN + timedelta(seconds=index), float(index), index)


def covered(picture):
    picture = picture.copy()
    picture[:, :330] = (60, 50, 45)
    return picture


SPOILT = {
    S.BLACK: lambda picture: picture * 0,
    S.DARK: lambda picture: picture * 0.05,
    S.OVER_EXPOSED: lambda picture: picture.astype(np.float32) * 6 + 100,
    S.OUT_OF_FOCUS: lambda picture: cv2.GaussianBlur(picture, (0, 0), 6),
    S.BLOCKED: covered,
    S.MOVED: lambda picture: np.roll(picture, 60, axis=1),
}


@pytest.mark.parametrize("state", SPOILT)
def test_a_recording_tells_when_it_was_blind_and_why(state):
    sight = RecordedSight(1.0)

    def draw(second):
        return SPOILT[state](STREET) if 10 <= second < 60 else STREET

    seen = [frame.sight for frame in sight.judged(frames(range(80), draw))]
    assert set(seen[:10]) == {S.OK}
    assert set(seen[10:60]) == {state}, "at once, long before it is a state"
    assert set(seen[60:]) == {S.OK}
    (span,) = sight.blind
    assert span.state == state
    assert span.from_s == pytest.approx(10, abs=1)
    assert 59 <= span.until_s <= 63
    assert span.since == BEGIN + timedelta(seconds=span.from_s)


def test_a_recording_that_freezes_is_told_from_one_that_is_quiet(tmp_path):
    def pictures(second, size):
        picture = street(*size)
        if second < 20:
            picture[10:30, int(second * 5) % 200 :][:, :20] = 255
        return picture

    path = record(tmp_path / "frozen.mp4", seconds=90, fps=2, gop=4, pictures=pictures)
    sight = RecordedSight(1.0)
    camera = CameraConfig(id="gate", source=str(path), real_time=False)
    list(sight.judged(open_source(camera)))
    assert [span.state for span in sight.blind] == [S.FROZEN]
    assert 19 <= sight.blind[0].from_s <= 40, "the encoder goes on refining a still picture"


def test_a_gap_is_blind_time_and_a_time_lapse_is_not():
    def gaps(seconds):
        sight = RecordedSight(1.0)
        list(sight.judged(frames(seconds, lambda _: STREET)))
        return [(span.state, span.from_s, span.until_s) for span in sight.blind]

    assert gaps([*range(20), *range(40, 60)]) == [(S.STALLED, 19, 40)]
    assert gaps(range(0, 40_000, 1000)) == []
