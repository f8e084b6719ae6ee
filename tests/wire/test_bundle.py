import zipfile

import pytest

from wire.bundle import BadBundle, check_names, pack, read, unpack


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "model"
    made.mkdir()
    for name in ("manifest.yaml", "selftest.json", "net.onnx"):
        (made / name).write_text(name * 100)
    return made


def test_a_folder_travels_whole_and_gives_the_same_bytes(folder, tmp_path):
    one, two, out = tmp_path / "1.zip", tmp_path / "2.zip", tmp_path / "out"
    pack(folder, one)
    pack(folder, two)
    assert one.read_bytes() == two.read_bytes()
    out.mkdir()
    unpack(one, out, 10_000)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {
        p.name: p.read_bytes() for p in folder.iterdir()
    }
    assert read(one, "net.onnx") == b"net.onnx" * 100


@pytest.mark.parametrize("name", ["../evil", "/etc/x", "a/b", ".hidden", "a\\b", "", "a" * 101])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path, name):
    bundle = tmp_path / "b.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        for each in ("manifest.yaml", "selftest.json", name or "x/"):
            archive.writestr(each, "x")
    with pytest.raises(BadBundle, match="is no plain file name"):
        unpack(bundle, tmp_path, 10_000)
    assert not (tmp_path.parent / "evil").exists()


def test_what_is_missing_or_too_much_is_named(folder, tmp_path):
    bundle = tmp_path / "b.zip"
    with pytest.raises(BadBundle, match=r"selftest\.json is missing"):
        check_names(["manifest.yaml"], "x")
    with pytest.raises(BadBundle, match="unique"):
        check_names(["manifest.yaml", "selftest.json", "selftest.json"], "x")
    pack(folder, bundle)
    with pytest.raises(BadBundle, match="more than 100 bytes"):
        unpack(bundle, tmp_path, 100)


@pytest.mark.parametrize("damage", [b"", b"no zip at all", b"PK\x03\x04" + bytes(50)])
def test_what_is_no_bundle_says_so(tmp_path, damage):
    bundle = tmp_path / "b.zip"
    bundle.write_bytes(damage)
    with pytest.raises(BadBundle, match="is no bundle of a model"):
        unpack(bundle, tmp_path, 10_000)
