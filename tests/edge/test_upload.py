"""Uploads against a real socket that is cut."""

import hashlib
import os
import socket
import threading
from http.client import HTTPException

import pytest

from edge.upload import RESUMED_FROM, BadAddress, is_intact, upload

LARGE = os.urandom(RESUMED_FROM * 4)


class Keeper:
    """A hub's upload port on a bare socket: keeps parts, may hang up in the middle."""

    def __init__(self):
        self.held, self.requests, self.cut_after = b"", [], None
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/upload/abc?sig=1"
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                line, _ = self.socket.accept()
            except OSError:
                return
            with line, line.makefile("rb") as lines:
                self._answer(line, lines)

    def _answer(self, line, lines):
        lines.readline()
        headers = {}
        while (text := lines.readline().strip()) != b"":
            name, _, value = text.decode().partition(": ")
            headers[name.lower()] = value
        self.requests.append(headers)
        length, asked = int(headers["content-length"]), headers.get("content-range", "")
        if not asked:
            self.held = b""
        elif not asked.startswith("bytes */"):
            assert int(asked.removeprefix("bytes ").split("-")[0]) == len(self.held)
        here = self.cut_after
        while length and (chunk := lines.read1(min(length, 65_536))):
            self.held += chunk
            length -= len(chunk)
            if here is not None and len(self.held) >= here:
                self.cut_after = None
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                line.shutdown(socket.SHUT_RDWR)
                return
        size = int(asked.rpartition("/")[2] or 0)
        status = "202 Accepted" if len(self.held) < size else "201 Created"
        have = f"Range: bytes=0-{len(self.held) - 1}\r\n" if self.held else ""
        line.sendall(f"HTTP/1.1 {status}\r\n{have}Content-Length: 0\r\n\r\n".encode())

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(60)


@pytest.fixture
def keeper():
    running = Keeper()
    yield running
    running.close()


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(LARGE)
    return path


def test_a_cut_upload_goes_on_where_it_was_cut(keeper, large):
    keeper.cut_after = 400_000
    with pytest.raises((OSError, HTTPException)):
        upload(keeper.url, large, "video/mp4")
    here = len(keeper.held)
    assert 400_000 <= here < len(LARGE)
    answer = upload(keeper.url, large, "video/mp4")
    assert answer.is_stored
    assert keeper.held == LARGE
    last = keeper.requests[-1]
    assert last["content-range"] == f"bytes {here}-{len(LARGE) - 1}/{len(LARGE)}"
    assert int(last["content-length"]) == len(LARGE) - here


def test_what_is_sealed_is_sent_whole(keeper, large):
    assert upload(keeper.url, large, "image/jpeg", whole=True).is_stored
    assert [("content-range" in headers) for headers in keeper.requests] == [False]
    assert keeper.held == LARGE


def test_a_small_file_takes_one_request(keeper, tmp_path):
    path = tmp_path / "small.jpg"
    path.write_bytes(b"\xff\xd8 small")
    assert upload(keeper.url, path, "image/jpeg").is_stored
    assert len(keeper.requests) == 1


def test_before_each_chunk_it_gives_way(keeper, large):
    waits = []
    upload(keeper.url, large, "video/mp4", give_way=lambda: waits.append(len(keeper.held)))
    assert len(waits) == len(LARGE) // 65_536


@pytest.mark.parametrize("url", ["ftp://hub/x", "file:///etc/passwd", "http:///x", ""])
def test_an_address_that_is_none_is_refused(large, url):
    with pytest.raises(BadAddress, match="http"):
        upload(url, large, "video/mp4")


def test_a_file_that_changed_on_the_disk_is_known(large):
    sha256 = hashlib.sha256(LARGE).hexdigest()
    assert is_intact(large, sha256)
    large.write_bytes(LARGE[:-1] + b"\0")
    assert not is_intact(large, sha256)
