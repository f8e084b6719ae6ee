import shutil

import pytest

from hub.store import Store
from tests.hub.world import make_site
from tests.servers.postgres import postgres


@pytest.fixture(scope="session")
def server():
    with postgres() as running:
        yield running


@pytest.fixture(scope="session")
def template(server):
    """A PostgreSQL database that has the schema."""
    name = server.new_database()
    store = Store(server.url(name))
    store.migrate()
    store.close()
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """A SQLite file that has the schema."""
    path = tmp_path_factory.mktemp("template") / "hub.sqlite"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    store.close()
    return path


@pytest.fixture
def sqlite_store(tmp_path, sqlite_template):
    store = Store(f"sqlite:///{shutil.copy(sqlite_template, tmp_path)}")
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path):
    """The store on both databases."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_store")
        return
    server, template = (request.getfixturevalue(name) for name in ("server", "template"))
    name = server.new_database(template)
    store = Store(server.url(name))
    yield store
    store.close()
    server.drop(name)


@pytest.fixture
def site(store, tmp_path):
    return make_site(store, tmp_path)


@pytest.fixture
def hub(tmp_path, sqlite_store):
    """A hub with one of everything; no broker, no server."""
    from tests.hub.test_api import furnished

    return furnished(tmp_path, sqlite_store)


@pytest.fixture
def call(hub):
    """Calls to its HTTP API, as an administrator unless a role is named."""
    from tests.hub.test_api import caller, client_of, tokens_of

    return caller(client_of(hub), tokens_of(hub))
