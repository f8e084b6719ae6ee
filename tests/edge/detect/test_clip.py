from datetime import timedelta

import av
import numpy as np
import pytest

from edge.detect.album import Shot
from edge.detect.clip import Clip, make_clip
from edge.detect.evidence import jpeg
from edge.detect.faces import NoFinder
from edge.detect.mask import Patch
from tests.edge.detect.scripted import START, box, street


def _shots(times, patches=(), size=(640, 360)):
    return tuple(
        Shot(t_s, START + timedelta(seconds=t_s), jpeg(street(7, size)), patches) for t_s in times
    )


def _played(file, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(file.data)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [(f.time, f.to_ndarray(format="bgr24")) for f in container.decode(stream)]
        return stream.codec_context.name, stream.codec_context.pix_fmt, frames


def test_a_clip_is_h264_that_a_browser_plays_from_its_first_bytes(tmp_path):
    file = make_clip(Clip("gate", _shots(range(5))), NoFinder())
    assert (file.role, file.type, file.at) == ("clip", "video/mp4", START)
    assert file.data.find(b"moov") < file.data.find(b"mdat")
    name, pixels, frames = _played(file, tmp_path)
    assert (name, pixels) == ("h264", "yuv420p")
    assert [t for t, _ in frames] == pytest.approx([0, 1, 2, 3, 4, 5], abs=0.01)


def test_a_pause_in_which_nothing_moved_is_left_out(tmp_path):
    file = make_clip(Clip("gate", _shots([0, 0.5, 300, 301])), NoFinder())
    _, _, frames = _played(file, tmp_path)
    assert [t for t, _ in frames] == pytest.approx([0, 0.5, 1.5, 2.5, 3.5], abs=0.01)


def test_faces_are_covered_in_their_neighbours_too(tmp_path):
    head = Patch(0.4, 0.1, 0.2, 0.4, 0.2)
    shots = (*_shots([0]), *_shots([1], (head,)), *_shots([2]), *_shots([3]))
    _, _, frames = _played(make_clip(Clip("gate", shots), NoFinder()), tmp_path)
    picture = street(7)

    def differs(i):
        part = np.s_[40:180, 260:380]
        return np.abs(frames[i][1][part].astype(int) - picture[part]).mean()

    assert min(differs(i) for i in range(3)) > 2 * differs(3)


def test_a_camera_that_changes_its_resolution_still_gives_a_clip(tmp_path):
    shots = (*_shots([0, 1]), *_shots([2, 3], size=(320, 240)))
    _, _, frames = _played(make_clip(Clip("gate", shots), NoFinder()), tmp_path)
    assert {frame.shape for _, frame in frames} == {(360, 640, 3)}


def test_a_damaged_look_is_refused_by_name():
    shots = (Shot(0, START, b"\xff\xd8 broken", ()),)
    with pytest.raises(ValueError, match="gate: a look of 2026"):
        make_clip(Clip("gate", shots), NoFinder())


def test_the_same_looks_give_the_same_clip():
    clip = Clip("gate", _shots(range(3)))
    assert make_clip(clip, NoFinder()).sha256 == make_clip(clip, NoFinder()).sha256


def test_a_look_that_is_in_two_clips_is_searched_once_and_covered_in_both(tmp_path):
    class Counting:
        searched = 0

        def find(self, _image, _side=0):
            self.searched += 1
            return [box("face", 0.4, 0.4, 0.2, 0.2)]

    shots, finder, known = _shots(range(4)), Counting(), {}
    make_clip(Clip("gate", shots[:3]), finder, known)
    _, _, frames = _played(make_clip(Clip("gate", shots[1:]), finder, known), tmp_path)
    assert finder.searched == 4
    face, picture = np.s_[150:210, 270:370], street(7)
    differences = [np.abs(frame[face].astype(int) - picture[face]).mean() for _, frame in frames]
    assert min(differences) > 10
