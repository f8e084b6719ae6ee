"""Of every kind that is taken the first bytes are known; nothing else passes for one."""

import re

import pytest

from tests import media_files
from wire.media import HEAD, PATTERN, SUFFIXES, type_of


@pytest.mark.parametrize("kind", media_files.files())
def test_files_as_codecs_write_them_are_known_by_their_beginning(kind):
    assert type_of(media_files.files()[kind][:HEAD]) == kind


def test_an_mp3_without_tags_begins_with_a_frame():
    data = media_files.mp3(with_tags=False)
    assert data[0] == 0xFF
    assert type_of(data[:HEAD]) == "audio/mpeg"


def test_the_pattern_of_the_wire_is_the_list():
    assert all(re.match(PATTERN, kind) for kind in SUFFIXES)
    assert PATTERN.count("/") == len(SUFFIXES)


@pytest.mark.parametrize(
    "head",
    [
        b"", b"\xff", b"\xff\xff\xff\xff" * 3, b"\xff\xe0\x00\x00", b"RIFF\0\0\0\0AVI ",
        b"<svg onload=", b"MZ\x90\0", b"\x7fELF\x02\x01\x01\0\0\0\0\0", b"GIF89a......",
        b"PK\x03\x04" * 3, b"%PDF-1.7\n%\xe2\xe3", b"#!/bin/sh\nrm", b"<!doctype h",
    ],
)  # fmt: skip
def test_everything_else_is_none(head):
    assert type_of(head) is None
