import json

import pytest

from hub.matters import LABEL_MATTERS, matter, table
from tests.shared import SHARED, needs_shared


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [
        ("06010", "暴露垃圾", "Exposed garbage"),
        ("09006", "占道经营", "Trading on the street"),
        ("06001", "私搭乱建", "Illegal structure"),
    ],
)
def test_names(code, zh, en):
    assert (matter(code).name_zh, matter(code).name_en) == (zh, en)


def test_the_table_is_complete():
    codes = [each.code for each in table().matters]
    assert (len(codes), len(set(codes))) == (97, 97)
    assert {code[:2] for code in codes} == {each.code for each in table().classes}
    assert not {"06031", "07005", "09007"} & set(codes)
    assert len({each.identifier for each in table().matters}) == 97


def test_an_unknown_code_names_itself():
    assert matter("99999").name_zh == "99999"
    assert matter(None) is None


def test_labels_mean_matters_that_exist():
    assert all(matter(code).name_zh != code for code in LABEL_MATTERS.values())


@needs_shared
def test_the_table_says_what_the_transcription_says():
    given = json.loads((SHARED / "data/codes/gbt47678-5-matters-06-10.json").read_text())
    assert {(m.code, m.name_zh, m.identifier) for m in table().matters} == {
        (m["code"], m["name_zh"], m["id"]) for m in given["matters"]
    }
