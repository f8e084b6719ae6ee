"""The console's files as the hub hands them out."""

import pytest
from starlette.middleware.gzip import GZipMiddleware
from starlette.testclient import TestClient

from hub.app import _Console


@pytest.fixture
def client(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-1a2b.js").write_text("const city = 1\n" * 500)
    (tmp_path / "index.html").write_text("<!doctype html><title>Tianyan</title>")
    return TestClient(GZipMiddleware(_Console(directory=tmp_path, html=True), compresslevel=6))


def test_a_script_goes_out_small_and_may_be_kept(client):
    answer = client.get("/assets/index-1a2b.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.text == "const city = 1\n" * 500


def test_who_takes_no_gzip_gets_it_plain(client):
    answer = client.get("/assets/index-1a2b.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in answer.headers


def test_the_page_itself_is_asked_for_anew(client):
    assert client.get("/").headers["cache-control"] == "no-cache"
