"""Whatever sentence has a code, the console has it in Chinese, with what stands in it."""

import ast
import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import get_args

from hub.duty.api import RowKind
from hub.duty.duty import TEXTS
from hub.http import error_response
from wire.coded import coded, codes_of

ROOT = Path(__file__).parents[2]
SENTENCES = ROOT / "hub" / "words" / "zh-coded.json"
PLACES = re.compile(r"\{(\w+)\}")


@cache
def said():
    """Each code, with the names of the values of each sentence that has it."""
    found = {}
    for package in ("edge", "hub", "wire"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "coded":
                    code = node.args[0].value
                    found.setdefault(code, []).append({each.arg for each in node.keywords})
    return found


@cache
def sentences():
    return json.loads(SENTENCES.read_text(encoding="utf-8"))["sentences"]


def test_every_code_has_a_chinese_sentence():
    assert len(said()) > 100
    assert sorted(set(said()) - set(sentences())) == []
    assert sorted(set(sentences()) - set(said())) == []  # nobody says it any more


def things():
    """What callers are told does not exist, is in use or is taken."""
    found = {*get_args(RowKind), *TEXTS, "person", "token"}
    for path in sorted((ROOT / "hub").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "not_found":
                found |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()
    return found


def test_every_thing_that_a_sentence_is_about_has_a_chinese_word():
    said = json.loads(SENTENCES.read_text(encoding="utf-8"))["things"].keys()
    assert sorted(things() - said) == []
    assert sorted(said - things()) == []  # nothing is said of it any more


def test_a_moment_is_said_so_that_a_page_can_tell_it_by_its_clock():
    due = datetime(2026, 11, 30, 1, 30, tzinfo=UTC)
    sentence = coded("was_due", "due {due:%H:%M} UTC", due=due)
    assert sentence == "due 01:30 UTC"
    assert sentence.parts()["values"] == {"due": "2026-11-30T01:30:00+00:00"}


def test_a_chinese_sentence_asks_for_no_value_that_is_not_there():
    wrong = {
        code: sorted(set(PLACES.findall(text)) - names)
        for code, text in sentences().items()
        for names in said().get(code, [])
        if set(PLACES.findall(text)) - names
    }
    assert wrong == {}


def test_a_coded_sentence_is_its_english_and_says_its_parts():
    row = coded("row", "row {row}", row=7)
    sentence = coded("already_in", "{given!r} is in {where} already", given="A-1", where=row)
    assert sentence == "'A-1' is in row 7 already"
    assert sentence.parts() == {
        "text": "'A-1' is in row 7 already",
        "code": "already_in",
        "values": {"given": "A-1", "where": {"text": "row 7", "code": "row", "values": {"row": 7}}},
    }


def test_what_is_no_text_and_no_number_is_said_as_text():
    assert coded("no_names", "{given!r} is no list of names", given=[1, None]).parts()[
        "values"
    ] == {"given": "[1, None]"}


def test_only_what_has_a_code_is_among_the_codes():
    row = coded("row", "row {row}", row=7)
    assert codes_of({"where": row, "message": "as it is", "row": 7}) == {"where": row.parts()}


def test_an_answer_that_refuses_says_the_codes_of_its_problems():
    row = coded("row", "row {row}", row=7)
    answer = error_response(
        422, "bad_sheet", "1 fault", problems=[{"where": row}, {"where": "file"}]
    )
    assert b'"coded":{"where":{"text":"row 7","code":"row","values":{"row":7}}}' in answer.body
    assert answer.body.count(b'"coded"') == 1
