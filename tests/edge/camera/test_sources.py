import pytest

from edge.camera.errors import BadSource, SourceLost
from edge.camera.sources import is_recording, open_source, scheme_of
from edge.config import CameraConfig


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("rtsp://10.0.0.7/street", "rtsp"),
        ("RTSP://10.0.0.7/street", "rtsp"),
        ("rtsps://10.0.0.7:322/street", "rtsps"),
        ("http://cam.local/video.mjpg", "http"),
        ("https://cam.local/live.m3u8", "https"),
        ("usb:0", "usb"),
        ("recordings/street.mp4", "file"),
        ("/srv/recordings/a:b.mp4", "file"),
        ("file:///srv/street.mp4", "file"),
        ("C:\\recordings\\street.mp4", "file"),
    ],
)
def test_kinds(source, kind):
    assert scheme_of(source) == kind
    assert is_recording(source) is (kind == "file")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("rtmp://10.0.0.7/street", "'rtmp' is not a kind of source"),
        ("rtps://10.0.0.7/street", "rtsp://, rtsps://"),
        ("usb:", "usb:N"),
        ("usb:front", "usb:N"),
        ("rtsp:///street", "no host"),
        ("rtsp://10.0.0.7:port/street", "no host and port"),
        ("rtsp://admin:a/b@10.0.0.7/street", "%2F"),
        ("rtsp:10.0.0.7", "no host"),
    ],
)
def test_what_cannot_be_a_source_is_said_before_it_is_opened(source, reason):
    with pytest.raises(BadSource) as refused:
        open_source(CameraConfig(id="gate", source=source))
    assert reason in str(refused.value)
    assert "a/b" not in str(refused.value)


def test_a_usb_camera_that_is_not_plugged_in_may_come_later():
    with pytest.raises(SourceLost, match="usb:77: no camera"):
        next(open_source(CameraConfig(id="gate", source="usb:77")))
