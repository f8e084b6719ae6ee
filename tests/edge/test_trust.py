"""What a box sends to and takes from a hub whose certificate only the city's file knows."""

import hashlib
import http.server
import threading
from types import SimpleNamespace

import pytest

from edge.model_download import fetch
from edge.trust import believed
from edge.upload import upload
from tests.servers.tls import make_certificate
from wire.update import ModelUpdate

DATA = b"a bundle"


class Hub(http.server.BaseHTTPRequestHandler):
    """Takes everything, gives one bundle."""

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        self.wfile.write(DATA)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    certificate = make_certificate(tmp_path_factory.mktemp("tls"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.socket = certificate.context().wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield SimpleNamespace(
        url=f"https://127.0.0.1:{server.server_port}/x?y=1", ca_file=certificate.file
    )
    server.shutdown()
    thread.join()
    server.server_close()


def picture(hub, trust, tmp_path):
    path = tmp_path / "picture"
    path.write_bytes(b"\xff\xd8")
    assert upload(hub.url, path, "image/jpeg", context=trust).is_stored


def model(hub, trust, tmp_path):
    update = ModelUpdate(
        dev="box-1", id="r1", model="street-n", version="2", url=hub.url, exp=1,
        sha256=hashlib.sha256(DATA).hexdigest(), size=len(DATA),
    )  # fmt: skip
    assert fetch(update, tmp_path, lambda _: None, trust).read_bytes() == DATA


@pytest.mark.parametrize("done", [picture, model])
def test_a_certificate_of_the_citys_own_is_believed_where_its_file_says_so(hub, done, tmp_path):
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        done(hub, believed(None), tmp_path)
    done(hub, believed(hub.ca_file), tmp_path)
