"""The same promises by hypothesis: bytes of any kind, and pieces of right inputs in any order."""

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.fuzz.seeds import WORDS, seeds
from tests.fuzz.targets import TARGETS


def inputs(name: str) -> st.SearchStrategy[bytes]:
    """Rubbish, right inputs, and right inputs cut, repeated, mixed and flipped."""
    right = st.sampled_from(seeds(name))
    cut = st.builds(lambda data, a, b: data[min(a, b) : max(a, b)], right, SPOTS, SPOTS)
    words = st.sampled_from([word.encode() for word in WORDS])
    mixed = st.lists(right | cut | words | st.binary(max_size=20), max_size=6).map(b"".join)
    return st.binary(max_size=300) | mixed | st.builds(flipped, right, SPOTS, st.integers(1, 255))


def flipped(data: bytes, at: int, bits: int) -> bytes:
    at %= max(1, len(data))
    return data[:at] + bytes(byte ^ bits for byte in data[at : at + 1]) + data[at + 1 :]


SPOTS = st.integers(0, 400)


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_breaks_it(name):
    @given(inputs(name))
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    def holds(data: bytes) -> None:
        TARGETS[name](data)

    holds()
