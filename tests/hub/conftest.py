import shutil

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from hub.people import password
from hub.store import Store
from tests.hub import known_routes
from tests.hub.stores import open_store
from tests.hub.world import make_site
from tests.servers.postgres import postgres

known_routes.install()


@pytest.fixture(scope="session", autouse=True)
def quick_passwords():
    """Hashed as in production, but in 8 KiB at once instead of in 64 MiB three times over."""
    cheap = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(password, "_hasher", PasswordHash((cheap,)))
        yield


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
    store = open_store(f"sqlite:///{shutil.copy(sqlite_template, tmp_path)}")
    yield store
    store.close()


@pytest.fixture(scope="session")
def emptied():
    """PostgreSQL databases that have the schema and no rows: a new one takes ten times as long."""
    return []


@pytest.fixture(scope="session")
def blank(server, template):
    """What the template holds."""
    return server.blank(template)


@pytest.fixture
def postgres_store(server, template, blank, emptied):
    name = emptied.pop() if emptied else server.new_database(template)
    store = open_store(server.url(name))
    yield store
    store.close()
    if server.empty(name, blank):
        emptied.append(name)
    else:
        server.drop(name)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request):
    """The store on both databases."""
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture
def site(store, tmp_path):
    return make_site(store, tmp_path)


@pytest.fixture
def hub(tmp_path, sqlite_store):
    """A hub with one of everything; no broker, no server."""
    from tests.hub.test_api import furnished

    return furnished(tmp_path, sqlite_store)


@pytest.fixture
def each_hub(tmp_path, store):
    """The same on both databases."""
    from tests.hub.test_api import furnished

    return furnished(tmp_path, store)


@pytest.fixture
def each_call(each_hub):
    """Calls to its HTTP API on both databases."""
    from tests.hub.test_api import caller, client_of, tokens_of

    return caller(client_of(each_hub), tokens_of(each_hub))


@pytest.fixture
def call(hub):
    """Calls to its HTTP API, as an administrator unless a role is named."""
    from tests.hub.test_api import caller, client_of, tokens_of

    return caller(client_of(hub), tokens_of(hub))
