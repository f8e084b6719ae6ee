import io
import json

import pytest

from hub import audit
from hub.people import password, users
from hub.store import Store
from tests.hub.test_commands import write
from tianyan.cli import main

GOOD = "correct horse battery"


@pytest.fixture
def tianyan(tmp_path, monkeypatch, capsys):
    path = write(tmp_path)

    def run(verb, *words, typed=GOOD):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed + "\n"))
        try:
            status = main(["hub", verb, str(path), *words])
        except SystemExit as end:
            status = end.code
        return status, capsys.readouterr()

    return run


def test_the_first_administrator_comes_in_from_the_command_line(tianyan, tmp_path):
    status, said = tianyan("add-user", "li.ming", "--role", "admin", "--display-name", "李明")
    assert status == 0
    assert json.loads(said.out) == {"user": "li.ming", "posts": "admin * * *"}
    assert GOOD not in said.out + said.err
    status, _ = tianyan("set-password", "li.ming", typed="another four word phrase")
    assert status == 0
    store = Store(f"sqlite:///{tmp_path / 'data' / 'hub.sqlite'}")
    with store.read() as tx:
        user = users.load(tx, "li.ming")
        acts = [(act.actor, act.action) for act in audit.of(tx, "user", "li.ming")]
    store.close()
    assert password.is_right("another four word phrase", user.hash)
    assert (user.must_change, user.display_name) == (False, "李明")
    assert acts == [("command line", "add"), ("command line", "reset_password")]


@pytest.mark.parametrize(
    ("words", "typed", "says"),
    [
        (["Li Ming", "--role", "admin"], GOOD, "name"),
        (["li", "--role", "king"], GOOD, "king"),
        (["li", "--role", "admin"], "password2026", "common"),
        (["li", "--role", "admin"], "", "12 to 200"),
        (["li", "--role", "viewer", "--grid", "nowhere"], GOOD, "nowhere"),
        (["li", "--role", "viewer", "--department", "none"], GOOD, "none"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(tianyan, words, typed, says):
    status, said = tianyan("add-user", *words, typed=typed)
    assert status == 2
    assert says in said.err.splitlines()[-1]
    assert said.out == ""


def test_nobody_gets_a_password_who_is_not_there(tianyan):
    status, said = tianyan("set-password", "wu")
    assert (status, "wu does not exist" in said.err) == (2, True)
