"""An administrator forgets whom the identity provider knows a person as."""

from datetime import timedelta

import pytest

from hub import audit
from hub.people import sessions, users
from hub.people.sessions import Kind, Session
from hub.people.users import User
from hub.roles import Post, Role
from hub.store import now

PATH = "/api/users/li/single-sign-on"
SUBJECT = "https://idp.example 7"


@pytest.fixture
def li(each_hub):
    """Somebody who came in through the provider, and by his password elsewhere."""
    at = now()
    with each_hub.store.write() as tx:
        users.add(tx, User("li", "李", at, (Post(Role.HANDLER),), subject=SUBJECT))
        for kind in (Kind.USER, Kind.SSO):
            later = at + timedelta(hours=1)
            sessions.add(tx, Session(kind.value * 8, kind, "li", at, at, later, "10.0.0.9", ""))
    return each_hub.store


def test_what_was_bound_is_free_again_and_written_down(li, each_call):
    assert each_call("GET", "/api/users/li").json()["single_sign_on"] is True
    answer = each_call("DELETE", PATH)
    assert (answer.status_code, answer.json()["single_sign_on"]) == (200, False)
    with li.read() as tx:
        assert users.by_subject(tx, SUBJECT) is None
        assert [each.kind for each in sessions.load(tx, sessions.of_user("li"))] == [Kind.USER]
        last = audit.of(tx, "user", "li")[-1]
    assert (last.action, last.actor, last.note) == ("unlink_oidc", "admin-1", SUBJECT)


def test_what_is_not_bound_cannot_be_freed(li, each_call):
    each_call("DELETE", PATH)
    answer = each_call("DELETE", PATH)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_bound")
    assert each_call("DELETE", "/api/users/nobody/single-sign-on").status_code == 404


def test_administrators_alone_free_it(li, each_call):
    for role in (Role.SUPERVISOR, Role.VIEWER):
        assert each_call("DELETE", PATH, role).status_code == 403
    with li.read() as tx:
        assert users.load(tx, "li").subject == SUBJECT
