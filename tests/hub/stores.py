"""Stores for tests: statements are compiled once per process, not once per test's database."""

from sqlalchemy.util import LRUCache

from hub.store import Store

_FIRST = {}


def open_store(url):
    """A store that knows every statement which an earlier one of its kind has compiled.

    SQLAlchemy keeps compiled statements per engine and dialect; a test's engine is new, and
    compiling anew what it asks took most of its time.
    """
    store = Store(url)
    first = _FIRST.get(store.engine.dialect.name)
    if first is not None:
        store.engine.dialect = first.dialect
        store.engine._compiled_cache = first._compiled_cache
    else:
        store.ping()  # the dialect asks the server what it can
        store.engine._compiled_cache = LRUCache(5000)
        _FIRST[store.engine.dialect.name] = store.engine
    return store
