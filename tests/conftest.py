import pytest

from tests.hub import client


@pytest.fixture(scope="session", autouse=True)
def calls_end():
    """The loop that calls run on ends with the tests."""
    yield
    client.close()
