"""What `tianyan hub add-user` and `set-password` do: the way in when nobody can log in yet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub import audit
from hub.errors import HubError
from hub.grid import store as grid_store
from hub.grid.places import Places
from hub.people import password, users
from hub.people.session_api import set_password
from hub.people.user_api import NewUser, WantedPost, add_user, posts_text
from hub.people.users import User
from hub.roles import Actor, Post, Role
from hub.store import Store, now
from hub.whereabouts import is_department, is_grid

COMMAND_LINE = Actor("command line", Role.ADMIN)

Ask = Callable[[], str]


def add(path: Path, wanted: NewUser, ask: Ask) -> Iterator[dict[str, Any]]:
    """Add a person with the password that `ask` gives; who it is. Raises HubError."""
    with _store(path) as store:
        places = Places()
        grid_store.load(store, places)
        post = wanted.posts[0]
        if post.grid is not None and not is_grid(places, post.grid):
            raise HubError(f"--grid: grid {post.grid!r} does not exist")
        given = ask()
        password.check(given, wanted.name, wanted.display_name)
        held = tuple(Post(**post.model_dump()) for post in wanted.posts)
        user = User(wanted.name, wanted.display_name, now(), held, hash=password.hashed(given))
        with store.write() as tx:
            if post.department is not None and not is_department(tx, post.department):
                raise HubError(f"--department: department {post.department!r} does not exist")
            add_user(tx, user, COMMAND_LINE)
    yield {"user": user.name, "posts": posts_text(held)}


def change_password(path: Path, name: str, ask: Ask) -> Iterator[dict[str, Any]]:
    """Give a person another password; all sessions end. Raises HubError."""
    with _store(path) as store:
        with store.read() as tx:
            user = users.load(tx, name)
        if user is None:
            raise HubError(f"person {name} does not exist: tianyan hub add-user")
        given = ask()
        password.check(given, user.name, user.display_name)
        with store.write() as tx:
            set_password(tx, name, given, must_change=False)
            entry = audit.Entry(
                now(), COMMAND_LINE.name, COMMAND_LINE.role, "user", name, "reset_password"
            )
            audit.append(tx, [entry])
    yield {"user": name}


def wanted_user(
    name: str, display_name: str, role: str, grid: str | None, department: str | None
) -> NewUser:
    """The person of the command line's options. Raises ValueError (pydantic's)."""
    post = WantedPost(role=Role(role), grid=grid, department=department)
    return NewUser(name=name, display_name=display_name or name, posts=[post])


@contextmanager
def _store(path: Path) -> Iterator[Store]:
    from hub.commands import load

    config = load(path)
    config.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(config.database_url)
    try:
        store.migrate()
        yield store
    finally:
        store.close()
