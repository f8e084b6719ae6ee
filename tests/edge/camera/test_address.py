import pytest

from edge.camera.address import masked


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("rtsp://10.0.0.7/street", "rtsp://10.0.0.7/street"),
        ("rtsp://admin:geheim@10.0.0.7:554/ch1?sub=1", "rtsp://***@10.0.0.7:554/ch1?sub=1"),
        ("rtsp://admin@10.0.0.7/ch1", "rtsp://***@10.0.0.7/ch1"),
        ("rtsp://admin:ge@heim@10.0.0.7/ch1", "rtsp://***@10.0.0.7/ch1"),
        ("rtsp://admin:ge/heim@10.0.0.7/ch1", "rtsp://***@10.0.0.7/ch1"),
        ("rtsp://admin:ge?h#eim@10.0.0.7/ch1", "rtsp://***@10.0.0.7/ch1"),
        ("http://cam/v?user=admin&pwd=geheim&fps=5", "http://cam/v?user=***&pwd=***&fps=5"),
        ("http://cam/v?Token=geheim", "http://cam/v?Token=***"),
        ("usb:0", "usb:0"),
        ("/srv/a@b/street.mp4", "/srv/a@b/street.mp4"),
    ],
)
def test_nobody_reads_a_password_in_a_log(source, shown):
    assert masked(source) == shown
