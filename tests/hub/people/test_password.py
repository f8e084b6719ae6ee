import pytest

from hub.people import password as passwords
from hub.people.password import hashed, is_right, why_weak

IN_PRODUCTION = passwords._hasher


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "vase drum 7 river",
        "我在新城办上班每天骑车",
        "我在新城办上班每天骑车去",
        "Tr0ub4dor&3xyz",
        "kV9-x2mQ_p7Lw",
    ],
)
def test_sound_ones_are_taken_whatever_they_are_made_of(password):
    short = len(password) < 12
    assert bool(why_weak(password, "li.ming", "李明")) is short


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short1!", "7 characters"),
        ("x" * 201, "201 characters"),
        ("aaaaaaaaaaaaaa", "repeats"),
        ("abababababababab", "repeats"),
        ("password2026!", "common"),
        ("PASSWORD-password", "common"),
        ("passwordpassword1", "common"),
        ("qwertyuiop123", "common"),
        ("123456789012345", "common"),
        ("admin@admin@2026", "common"),
        ("tianyan20262026", "common"),
        ("zyxwvutsrqpon", "common"),
        ("woaini1314520", "common"),
        ("my li.ming is here", "name"),
        ("办公室李明的密码是什么呢", "name"),
        ("Ｐａｓｓｗｏｒｄ１２３４！", "common"),
    ],
)
def test_what_is_guessed_first_is_refused(password, says):
    assert says in why_weak(password, "li.ming", "李明")


def test_only_argon2_is_kept_and_unknown_people_take_as_long(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", IN_PRODUCTION)
    monkeypatch.setattr(passwords, "_nobodys", "")
    kept = hashed("correct horse battery")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert is_right("correct horse battery", kept)
    assert not is_right("correct horse batterz", kept)
    # The same text typed with another input method.
    assert is_right("correct horse battery", kept)
    assert not is_right("nobody has this password", "")
