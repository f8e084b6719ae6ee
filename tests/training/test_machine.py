"""What the machine is, read from what it says of itself."""

import pytest

from training.machine import machine

XEON = "model name\t: Xeon\nflags\t\t: fpu avx2 avx512f avx512_vnni\n\nmodel name\t: Xeon\n"
ZEN3 = "model name\t: EPYC\nflags\t\t: fpu avx2\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp\n"


@pytest.mark.parametrize(
    ("said", "vectors", "fast"),
    [
        (XEON, ["avx2", "avx512f", "avx512_vnni"], True),
        (ZEN3, ["avx2"], False),
        (ARM, ["asimd", "asimddp"], True),
        ("", [], False),
    ],
)
def test_what_it_can_compute_with(tmp_path, said, vectors, fast):
    (tmp_path / "cpuinfo").write_text(said)
    told = machine(tmp_path / "cpuinfo")
    assert (told["vectors"], told["fast_int8"]) == (vectors, fast)


def test_a_machine_that_says_nothing_has_a_name_all_the_same(tmp_path):
    assert machine(tmp_path / "none")["cpu"]
