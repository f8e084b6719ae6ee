"""A sentence with a code goes beside its text, over the wire and into a column, and comes back."""

import json

import pytest

from wire.coded import (
    code_of,
    coded,
    cut,
    joined,
    kept,
    of_system,
    read_kept,
    with_code,
    words_of,
)

ROW = coded("row", "row {row}", row=7)
TWICE = coded("already_in", "{given!r} is in {where} already", given="A-1", where=ROW)


@pytest.mark.parametrize("text", [ROW, TWICE, joined([ROW, TWICE]), "as it is", ""])
def test_what_is_kept_or_sent_comes_back_with_its_code(text):
    sent = json.loads(json.dumps(code_of(text)))
    for back in (read_kept(kept(text)), with_code(str(text), sent)):
        assert back == text
        assert code_of(back) == code_of(text)


def test_what_was_kept_without_a_code_is_its_text():
    assert code_of(read_kept("an old reason")) == {}
    assert kept("an old reason") == "an old reason"


@pytest.mark.parametrize("said", [{}, {"code": 7, "values": {}}, {"code": "row", "values": 7}])
def test_what_is_no_code_leaves_the_text(said):
    assert code_of(with_code("row 7", said)) == {}


def test_what_is_cut_or_too_long_has_no_code():
    assert cut(TWICE, 500) is TWICE
    assert code_of(cut(TWICE, 5)) == {}
    assert code_of(coded("no_text_of", "{given}", given="x" * 3000)) == {}


def test_an_error_says_the_sentence_it_was_made_with():
    assert code_of(words_of(ValueError(ROW))) == code_of(ROW)
    assert words_of(ValueError("as it is")) == "as it is"
    assert words_of(KeyError("bell")) == "'bell'"


def test_whatever_a_device_sends_can_be_kept_and_read():
    deep, heap = {"text": "t", "code": "c", "values": {}}, []
    for _ in range(500):
        deep = {"text": "t", "code": "c", "values": {"a": deep}}
        heap = [heap]
    odd = {"code": "c", "values": {"deep": deep, "heap": heap, "text": {"text": heap}, "n": None}}
    back = read_kept(kept(with_code("it\x1fis", odd)))
    assert back == "it is"
    assert code_of(back)["values"]["heap"] == ""
    assert read_kept(kept("no\x1fcode")) == "no code"


@pytest.mark.parametrize("behind", ["", "of", "5", "[1]", "null", '"of"', "[" * 100_000])
def test_what_was_written_before_texts_had_codes_is_read_as_it_was(behind):
    assert read_kept(f"old\x1f{behind}") == f"old\x1f{behind}"


def test_what_the_operating_system_says_has_a_code_where_it_is_common(tmp_path):
    with pytest.raises(OSError) as missing:
        (tmp_path / "none").read_bytes()
    said = of_system(missing.value)
    assert said == "No such file or directory"
    assert code_of(said)["code"] == "no_such_file"
    assert code_of(of_system(OSError(5, "Input/output error"))) == {}
    assert of_system(OSError("line lost")) == "line lost"
