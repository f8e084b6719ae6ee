"""Frames of real terminals and test tools, through the command line's own function."""

import io
import json
from typing import Any

import pytest

from edge.gps.commands import decode_jt808
from tests.shared import SHARED, needs_shared

RENAMED = {"course": "heading_deg", "time": "at"}
OURS_ALONE = {"checksum_ok", "length_ok", "time_utc", "sub_total", "sub_index"}


def _load(name: str) -> list[dict[str, Any]]:
    if SHARED is None:
        return []
    return json.loads((SHARED / "data/gps/jt808" / name).read_text())


FRAMES = {row["id"]: row["expect"] | {"wire": row["hex"]} for row in _load("frames.json")}
SPLIT = [name for name, row in FRAMES.items() if row["sub_total"]]


def decoded(chunks: list[str], *, is_hex: bool = True) -> list[dict[str, Any]]:
    data = "\n".join(chunks).encode() if is_hex else bytes.fromhex("".join(chunks))
    return list(decode_jt808(io.BytesIO(data), is_hex=is_hex))


def messages(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line.get("kind") == "message"]


def check(said: dict[str, Any], line: dict[str, Any], *ignore: str) -> None:
    for key, value in said.items():
        if key in OURS_ALONE or key in {"wire", *ignore}:
            continue
        if key == "positions":
            assert len(line["positions"]) == len(value)
            for one, other in zip(value, line["positions"], strict=True):
                check(one, other)
        elif key == "items":
            assert [(item["id"], item["hex"]) for item in line["items"]] == [
                (item["id"], item["hex"]) for item in value
            ]
        else:
            assert line[RENAMED.get(key, key)] == value, key


@needs_shared
@pytest.mark.parametrize("name", [n for n in FRAMES if n not in SPLIT] or ["none"])
def test_frame(name):
    said = FRAMES[name]
    (line,) = messages(decoded([said["wire"]]))
    if said["encrypt"]:
        assert line["encrypt"] == said["encrypt"]
        assert set(line) >= {"body_hex"}
        assert not {"plate", "auth", "problem"} & set(line)
    else:
        check(said, line)


@needs_shared
def test_a_lone_packet_of_a_split_message_is_no_message():
    for name in SPLIT:
        lines = decoded([FRAMES[name]["wire"]])
        assert [line.get("kind") for line in lines] == ["incomplete", None]
        assert len(lines[0]["missing"]) == FRAMES[name]["sub_total"] - 1


@needs_shared
@pytest.mark.parametrize("is_hex", [True, False])
def test_streams(is_hex):
    for stream in _load("streams.json"):
        found = messages(decoded(stream["chunks"], is_hex=is_hex))
        expected = [name for name in stream["expect_ids"] if name not in SPLIT]
        assert len(found) == len(expected), stream["name"]
        for name, line in zip(expected, found, strict=True):
            if not FRAMES[name]["encrypt"]:
                check(FRAMES[name], line)


@needs_shared
def test_split_messages_equal_the_whole_one():
    for row in _load("subpackets_derived.json"):
        (line,) = messages(decoded(row["frames"]))
        check(FRAMES[row["of"]], line, "serial")
        assert line["packets"] == row["packets"]
