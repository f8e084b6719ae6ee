from itertools import pairwise

import av
import pytest

from edge.camera.clock import Thinning, Timeline
from edge.camera.decoder import KeyframeInterval, LookDecoder, video_stream
from edge.camera.errors import BadSource
from edge.camera.pace import Pace
from tests.edge.camera.footage import record

STREAMS = {
    "h264": {},
    "h264 that reorders": {"tune": "film", "preset": "veryfast", "bf": "3"},
    "h265 that reorders": {"codec": "libx265"},
    "mjpeg": {"codec": "mjpeg"},
    "mpeg4": {"codec": "mpeg4"},
}


def decoded(path, looks_per_s=1.0, spoil=lambda i, packet: packet, pace=None):
    with av.open(str(path)) as container:
        stream = video_stream(container, str(path))
        decoder = LookDecoder(
            stream, looks_per_s, Timeline(0.1).seconds, Thinning(looks_per_s), pace
        )
        pictures, ways = [], []
        for i, packet in enumerate(container.demux(stream)):
            if (packet := spoil(i, packet)) is not None:
                pictures += decoder.pictures(packet)
                ways.append(decoder.keyframes_only)
        return pictures, ways, decoder


def seconds(pictures):
    return [round(picture.t_s, 2) for picture in pictures]


@pytest.mark.parametrize("kind", STREAMS)
def test_keyframes_alone_where_they_come_often_enough(tmp_path, kind):
    path = record(tmp_path / "often.mkv", seconds=8, gop=10, **STREAMS[kind])
    pictures, ways, _ = decoded(path)
    assert ways[-1]
    assert seconds(pictures) == [0, 1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("kind", ["h264", "h264 that reorders", "h265 that reorders"])
def test_every_frame_where_keyframes_are_rare(tmp_path, kind):
    path = record(tmp_path / "rare.mkv", seconds=8, gop=40, **STREAMS[kind])
    pictures, ways, _ = decoded(path)
    assert not any(ways[12:]), "one look is missed by the keyframes, and none by us"
    assert seconds(pictures) == [0, 1, 2, 3, 4, 5, 6, 7]


def test_the_first_seconds_cost_no_more_than_the_later_ones(tmp_path):
    path = record(tmp_path / "often.mkv", seconds=8, gop=10)
    _, ways, decoder = decoded(path)
    assert all(ways)
    assert decoder.decoded == 8


def test_keyframes_that_stay_away_are_made_up_for(tmp_path):
    often = record(tmp_path / "often.ts", seconds=4, gop=10)
    rare = record(tmp_path / "rare.ts", seconds=6, gop=60)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(often.read_bytes() + rare.read_bytes())
    pictures, ways, _ = decoded(joined)
    assert ways[30], "keyframes every second"
    assert not ways[-1], "and then none any more"
    gaps_s = [b.t_s - a.t_s for a, b in pairwise(pictures)]
    assert max(gaps_s) < 1.3, "though none of its looks is lost"


def test_pictures_without_time_stamps_are_all_decoded(tmp_path):
    path = record(tmp_path / "street.mkv", seconds=4, gop=40)

    def unstamped(i, packet):
        packet.pts = packet.dts = None
        return packet

    pictures, ways, _ = decoded(path, spoil=unstamped)
    assert not ways[-1]
    assert len(pictures) >= 4


def idle(gap_s):
    pace = Pace()
    pace.gap_s = gap_s
    return pace


@pytest.mark.parametrize(("gop", "expected"), [(10, [0, 3, 6, 9]), (20, [0, 3, 6, 10])])
def test_an_idle_street_is_decoded_by_some_of_its_keyframes(tmp_path, gop, expected):
    path = record(tmp_path / "idle.mkv", seconds=12, gop=gop)
    pictures, ways, decoder = decoded(path, pace=idle(3.0))
    assert ways[-1]
    assert seconds(pictures) == expected
    assert decoder.decoded < 4 * gop + 5


def test_a_street_that_wakes_is_decoded_at_its_own_rate_again(tmp_path):
    path = record(tmp_path / "wakes.mkv", seconds=12, gop=10)
    pace = idle(3.0)

    def wake(i, packet):
        pace.gap_s = 3.0 if i < 65 else 0.0
        return packet

    assert seconds(decoded(path, spoil=wake, pace=pace)[0]) == [0, 3, 6, 7, 8, 9, 10, 11]


def test_what_a_keyframe_shows_is_the_same_either_way(tmp_path):
    path = record(tmp_path / "street.mkv", seconds=6, gop=10, bf="2", tune="film", crf="5")
    by_keyframes = {round(p.t_s): p.picture.image for p in decoded(path)[0] if p.t_s >= 3}
    with av.open(str(path)) as container:
        for i, frame in enumerate(container.decode(video=0)):
            if i % 10 == 0 and i // 10 in by_keyframes:
                whole = frame.to_ndarray(format="bgr24").astype(int)
                assert abs(by_keyframes.pop(i // 10) - whole).mean() < 0.5
    assert not by_keyframes


def test_a_camera_that_changes_its_keyframe_interval(tmp_path):
    often = record(tmp_path / "often.mp4", seconds=5, gop=5)
    rare = record(tmp_path / "rare.mp4", seconds=8, gop=40)
    interval = KeyframeInterval()
    ways = []
    for path, start in ((often, 0), (rare, 5), (often, 13)):
        with av.open(str(path)) as container:
            for packet in container.demux(video=0):
                if packet.is_keyframe and packet.pts is not None:
                    interval.saw(float(packet.pts * packet.time_base) + start)
                    ways.append(interval.allows(1.0))
    assert ways[:10] == [None, None] + [True] * 8
    assert ways[10:12] == [True, False]
    assert ways[-1]


@pytest.mark.parametrize(
    ("stamps", "looks_per_s", "allowed"),
    [
        ([0, 1], 1, None),
        ([0, 1, 2], 1, True),
        ([0, 1.05, 2.1], 1, True),
        ([0, 2, 4], 1, False),
        ([0, 2, 4], 0.5, True),
        ([None, None, None], 1, None),
        ([0, 1, 2, 9], 1, False),
        ([0, 1, 2, 9, 10, 11, 12], 1, True),
        ([0, 1, 2, -50, -49, -48], 1, True),
    ],
)
def test_keyframe_interval(stamps, looks_per_s, allowed):
    interval = KeyframeInterval()
    for stamp in stamps:
        interval.saw(stamp)
    assert interval.allows(looks_per_s) is allowed


@pytest.mark.parametrize("gop", [10, 40])
def test_damaged_packets_cost_their_pictures_alone(tmp_path, gop):
    path = record(tmp_path / "street.mkv", seconds=8, gop=gop)

    def spoil(i, packet):
        if i in (5, 6, 30):
            return av.Packet(b"\0\0\1\x65" + bytes(40))
        return packet

    pictures, _, decoder = decoded(path, spoil=spoil)
    assert decoder.damaged
    assert seconds(pictures)[-1] == pytest.approx(7, abs=0.3)
    assert len(pictures) >= 7


@pytest.mark.parametrize("gop", [5, 100])
def test_a_new_resolution_in_the_middle(tmp_path, gop):
    parts = [
        record(tmp_path / f"{width}.ts", seconds=4, gop=gop, size=(width, width // 2))
        for width in (320, 640)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    pictures, _, _ = decoded(joined)
    sizes = [each.picture.image.shape for each in pictures]
    assert sizes[0] == (160, 320, 3)
    assert sizes[-1] == (320, 640, 3)
    assert len(pictures) in (7, 8, 9)


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame(format="s16", layout="mono", samples=800)
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container, pytest.raises(BadSource, match=r"sound\.wav.*no video"):
        video_stream(container, str(path))
