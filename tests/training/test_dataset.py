"""Reading the YOLO layout: what is accepted, and what is refused by name."""

import numpy as np
import pytest

from training.dataset import DatasetError, label_file, read_boxes, read_dataset, read_picture

YAML = "path: .\nval: images/val\nnames:\n  0: street_vending\n  1: garbage\n"


@pytest.fixture
def layout(tmp_path):
    """A data set of two pictures: one with a heap, one with nothing to report."""
    for folder in ("images/val", "labels/val"):
        (tmp_path / folder).mkdir(parents=True)
    for name, lines in (("a", "1 0.5 0.5 0.2 0.1\n"), ("b", "")):
        (tmp_path / f"images/val/{name}.jpg").write_bytes(b"only its name is read")
        (tmp_path / f"labels/val/{name}.txt").write_text(lines)
    (tmp_path / "data.yaml").write_text(YAML)
    return tmp_path


def test_reads_labels_pictures_and_boxes(layout):
    dataset = read_dataset(layout / "data.yaml", "val")
    assert dataset.labels == ("street_vending", "garbage")
    assert [one.path.name for one in dataset.pictures] == ["a.jpg", "b.jpg"]
    assert dataset.pictures[0].boxes == pytest.approx(np.array([[1, 0.5, 0.5, 0.2, 0.1]]))
    assert dataset.pictures[1].boxes.shape == (0, 5)


def test_path_is_relative_to_the_description(layout, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert len(read_dataset(layout / "data.yaml", "val").pictures) == 2


@pytest.mark.parametrize(
    "text",
    [
        YAML.replace("images/val", "[images/val]"),
        YAML.replace("  0: street_vending\n  1: garbage", "  [street_vending, garbage]"),
        YAML.replace("path: .\n", ""),
    ],
)
def test_other_ways_to_say_the_same(layout, text):
    (layout / "data.yaml").write_text(text)
    dataset = read_dataset(layout / "data.yaml", "val")
    assert (dataset.labels, len(dataset.pictures)) == (("street_vending", "garbage"), 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1", "not a data set description"),
        ("names: [a", "not YAML"),
        (YAML.replace("val:", "train:"), "no split 'val' (has train)"),
        (YAML.replace("images/val", "images/nowhere"), "nowhere: no such folder"),
        (YAML.replace("images/val", "labels/val"), "no picture in it"),
        (YAML.replace("images/val", "7"), "val: 7 is neither"),
        (YAML.replace("  1: garbage", "  2: garbage"), "names: must list the classes"),
        (YAML.replace("names", "classes"), "names: must list the classes"),
    ],
)
def test_refuses_a_description_by_name(layout, text, said):
    (layout / "data.yaml").write_text(text)
    with pytest.raises(DatasetError) as refusal:
        read_dataset(layout / "data.yaml", "val")
    assert said in str(refusal.value)
    assert str(layout) in str(refusal.value)


def test_refuses_a_missing_description(tmp_path):
    with pytest.raises(DatasetError, match=r"data\.yaml: No such file"):
        read_dataset(tmp_path / "data.yaml")


def test_a_picture_without_a_label_file_shows_nothing_and_is_named(layout, caplog):
    (layout / "labels/val/b.txt").unlink()
    dataset = read_dataset(layout / "data.yaml", "val")
    assert [len(one.boxes) for one in dataset.pictures] == [1, 0]
    assert "1 of 2 pictures have no label file" in caplog.text
    assert "b.jpg" in caplog.text


def test_refuses_a_folder_whose_labels_were_forgotten(layout):
    for name in "ab":
        (layout / f"labels/val/{name}.txt").unlink()
    with pytest.raises(DatasetError, match=r"none of its 2 pictures .*labels/val/a\.txt"):
        read_dataset(layout / "data.yaml", "val")


def test_a_box_rounded_over_the_edge_is_cut_there(tmp_path):
    file = tmp_path / "a.txt"
    file.write_bytes(b"\xef\xbb\xbf1 0.5 0.5 1.000001 0.2\r\n")
    assert read_boxes(file, 2) == pytest.approx(np.array([[1, 0.5, 0.5, 1.0, 0.2]]))


def test_refuses_what_is_no_text(layout):
    for name in ("labels/val/a.txt", "data.yaml"):
        (layout / name).write_bytes(b"\xff\xfe1\x00")
        with pytest.raises(DatasetError, match=f"{name}: not text in UTF-8"):
            read_dataset(layout / "data.yaml", "val")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1 0.5 0.5 0.2", "is not 'class x_centre y_centre width height'"),
        ("1 0.5 0.5 0.2 0.1 0.9", "is not 'class x_centre y_centre width height'"),
        ("garbage 0.5 0.5 0.2 0.1", "is not 'class x_centre y_centre width height'"),
        ("2 0.5 0.5 0.2 0.1", "class 2 is not one of 0..1"),
        ("-1 0.5 0.5 0.2 0.1", "class -1 is not one of 0..1"),
        ("0.5 0.5 0.5 0.2 0.1", "class 0.5 is not one of 0..1"),
        ("nan 0.5 0.5 0.2 0.1", "class nan is not one of 0..1"),
        ("1 320 240 64 48", "is not a box of fractions 0..1"),
        ("1 nan 0.5 0.2 0.1", "is not a box of fractions 0..1"),
        ("1 0.5 0.5 0 0.1", "is not a box of fractions 0..1"),
    ],
)
def test_refuses_a_bad_line_with_its_number(tmp_path, line, said):
    file = tmp_path / "a.txt"
    file.write_text(f"0 0.5 0.5 0.2 0.1\n\n{line}\n")
    with pytest.raises(DatasetError) as refusal:
        read_boxes(file, 2)
    assert f"{file}:3: " in str(refusal.value)
    assert said in str(refusal.value)


def test_the_last_images_folder_becomes_labels(tmp_path):
    picture = tmp_path / "images" / "city" / "images" / "val" / "a.jpg"
    assert label_file(picture) == tmp_path / "images" / "city" / "labels" / "val" / "a.txt"
    with pytest.raises(DatasetError, match="not below a folder called 'images'"):
        label_file(tmp_path / "photos" / "a.jpg")


def test_refuses_a_file_that_is_no_picture(layout):
    with pytest.raises(DatasetError, match=r"a\.jpg: not a picture"):
        read_picture(layout / "images/val/a.jpg")
