"""Passwords: which are sound, how they are kept.

Length counts, not composition: people who must use capitals and digits write `Password2026!`. What
is refused is what is tried first: common words, runs of the keyboard, the person's own name.
"""

import threading
import unicodedata

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from hub.errors import Problem
from wire.coded import coded

LEAST, MOST = 12, 200
LEAST_DIFFERENT = 5
AT_ONCE = 2
"""Hashing one password takes 64 MiB: so many at a time."""

_ROWS = (
    "abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
)  # fmt: skip
_COMMON = frozenset({
    "admin", "administrator", "aiwoni", "asdfgh", "baobao", "changeme", "chengguan", "china",
    "default", "dragon", "football", "guanliyuan", "hello", "iloveyou", "letmein", "login",
    "master", "mima", "monkey", "pass", "passw0rd", "password", "princess", "qwerty", "root",
    "secret", "shadow", "sunshine", "superman", "test", "tianyan", "user", "welcome", "woaini",
    "zhongguo",
})  # fmt: skip
_hasher = PasswordHash((Argon2Hasher(),))
_turn = threading.BoundedSemaphore(AT_ONCE)
_nobodys = ""


def check(password: str, *names: str) -> None:
    """Raises Problem unless a password is sound; `names`: what it must not contain."""
    reason = why_weak(password, *names)
    if reason:
        raise Problem(
            422,
            "weak_password",
            reason,
            coded("password_length", "{least} characters or more, such as four words", least=LEAST),
        )


def why_weak(password: str, *names: str) -> str:
    """Why a password is not sound; empty when it is."""
    text = unicodedata.normalize("NFKC", password).casefold()
    if not LEAST <= len(text) <= MOST:
        return coded(
            "password_has",
            "the password has {count} characters, {least} to {most} are needed",
            count=len(text),
            least=LEAST,
            most=MOST,
        )
    if len(set(text)) < LEAST_DIFFERENT:
        return coded("password_repeats", "the password repeats a few characters")
    if any(len(name) >= 2 and name.casefold() in text for name in names):
        return coded("password_named", "the password contains the name")
    rest = text
    for row in _ROWS:
        rest = _without_runs(rest, row)
    letters = "".join(c for c in rest if c.isalpha())
    for word in sorted(_COMMON, key=len, reverse=True):
        letters = letters.replace(word, "")
    others = {c for c in rest if not c.isalpha()}  # what people put behind a common word
    if len(letters) + len(others) // 2 < LEAST_DIFFERENT:
        return coded("password_common", "the password is a common one")
    return ""


def hashed(password: str) -> str:
    """What is kept of a password (argon2id)."""
    with _turn:
        return _hasher.hash(unicodedata.normalize("NFKC", password))


def is_right(password: str, kept: str) -> bool:
    """Whether a password is the one kept; as slow where none is kept, so that nobody can tell."""
    global _nobodys  # noqa: PLW0603 - drawn once, when it is first needed
    with _turn:
        if not _nobodys:
            _nobodys = _hasher.hash("nobody has this password")
        text = unicodedata.normalize("NFKC", password[: MOST * 4])
        return _hasher.verify(text, kept or _nobodys) and bool(kept)


def _without_runs(text: str, row: str) -> str:
    """Leave out pieces of a keyboard's row, forwards or backwards, of four characters and more."""
    for line in (row, row[::-1]):
        start = 0
        while start < len(text):
            end = start + 4
            if text[start:end] not in line or end > len(text):
                start += 1
                continue
            while end < len(text) and text[start : end + 1] in line:
                end += 1
            text = text[:start] + text[end:]
    return text
