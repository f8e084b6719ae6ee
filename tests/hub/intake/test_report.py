import pytest

from hub.errors import HubError
from hub.intake.report import NOBODY, Caller, matter_of
from hub.intake.sealing import Seal


@pytest.mark.parametrize(
    ("caller", "shown"),
    [
        (Caller("王小明", "13812345678"), "王** 138****5678"),
        (Caller("李"), "李"),
        (Caller("", "5678"), "****"),
        (Caller("", "", "wang@example.cn"), "w***@example.cn"),
        (NOBODY, ""),
    ],
)
def test_most_people_see_a_caller_masked(caller, shown):
    assert caller.masked == shown


@pytest.mark.parametrize(
    ("hint", "code"),
    [
        ("06010", "06010"),
        ("暴露垃圾", "06010"),
        (" 占道经营 ", "09006"),
        ("噪音", None),
        ("", None),
    ],
)
def test_a_category_names_a_matter_by_code_or_exact_name(hint, code):
    found = matter_of(hint)
    assert (found.code if found else None) == code


def test_callers_are_unreadable_on_disk_and_only_with_their_key_readable(tmp_path):
    caller = Caller("王小明", "13812345678")
    sealed = Seal(tmp_path).close(caller)
    assert "王".encode() not in sealed
    assert b"138" not in sealed
    assert Seal(tmp_path).open(sealed) == caller
    assert Seal(tmp_path).open(b"") == NOBODY
    assert (tmp_path / "caller-key").stat().st_mode & 0o077 == 0
    with pytest.raises(HubError, match="is not the key"):
        Seal(tmp_path / "other").open(sealed)


def test_a_broken_key_file_is_said_by_name(tmp_path):
    (tmp_path / "caller-key").write_text("rust")
    with pytest.raises(HubError, match="caller-key: is no key"):
        Seal(tmp_path)


def test_a_ticket_fits_its_number_alone(tmp_path):
    seal = Seal(tmp_path)
    assert seal.is_ticket("AKR20261128-00001", seal.ticket("AKR20261128-00001"))
    assert not seal.is_ticket("AKR20261128-00002", seal.ticket("AKR20261128-00001"))
