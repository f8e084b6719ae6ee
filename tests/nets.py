"""Networks without training, for tests: they answer a picture's brightness on one box.

Written as ONNX by hand (protobuf fields by number, as `onnx.proto` has them), so that no test
needs the package that writes them.
"""

from hashlib import sha256
from pathlib import Path

import numpy as np
import yaml

LABELS = ["street_vending", "garbage", "illegal_structure", "person"]
MIDDLE = (320.0, 180.0, 128.0, 96.0)
FLOAT, INT64 = 1, 7


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    """One protobuf field: integers as varint, text and bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name, array):
    kind = INT64 if array.dtype == np.int64 else FLOAT
    dims = b"".join(field(1, side) for side in array.shape)
    return dims + field(2, kind) + field(8, name) + field(9, array.tobytes())


def attribute(name, value):
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    return field(1, name) + b"".join(field(8, each) for each in value) + field(20, 7)


def node(kind, inputs, output, **attributes):
    body = b"".join(field(1, each) for each in inputs) + field(2, output) + field(4, kind)
    return body + b"".join(field(5, attribute(*each)) for each in attributes.items())


def value(name, sides):
    dims = b"".join(
        field(1, field(1, side) if isinstance(side, int) else field(2, side)) for side in sides
    )
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, dims)))


def brightness_net(factors, *, dies_from=None):
    """The bytes of a graph: each label's score is the picture's mean (0..1) times its factor.

    `dies_from`: from this brightness on (in tenths) the runtime fails while it runs.
    """
    labels = len(factors)
    nodes = [
        node("ReduceMean", ["images"], "mean", axes=[1, 2, 3], keepdims=0),
        node("Reshape", ["mean", "cube"], "bright"),
        node("Mul", ["bright", "factors"], "raw"),
    ]
    weights = [
        tensor("cube", np.array([1, 1, 1], np.int64)),
        tensor("factors", np.array(factors, np.float32).reshape(1, labels, 1)),
        tensor("box", np.array(MIDDLE, np.float32).reshape(1, 4, 1)),
    ]
    if dies_from is None:
        nodes.append(node("Identity", ["raw"], "scores"))
    else:
        nodes += [
            node("Mul", ["bright", "ten"], "tenths"),
            node("Cast", ["tenths"], "step", to=INT64),
            node("Gather", ["ones", "step"], "one", axis=0),
            node("Mul", ["raw", "one"], "scores"),
        ]
        weights += [
            tensor("ten", np.array([10], np.float32)),
            tensor("ones", np.ones(dies_from, np.float32)),
        ]
    nodes.append(node("Concat", ["box", "scores"], "output", axis=1))
    graph = b"".join(field(1, each) for each in nodes) + field(2, "brightness")
    graph += b"".join(field(5, each) for each in weights)
    graph += field(11, value("images", [1, 3, "height", "width"]))
    graph += field(12, value("output", [1, 4 + labels, 1]))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def model_folder(folder, *, name="street-n", version="1", factors=(0.9, 0.5, 0.1, 0.0), **more):
    """A model's folder that the edge can open; further keys go into its manifest."""
    dies_from = more.pop("dies_from", None)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = brightness_net(factors, dies_from=dies_from)
    file = folder / f"{name}.onnx"
    file.write_bytes(data)
    manifest = {
        "name": name,
        "version": version,
        "file": file.name,
        "sha256": sha256(data).hexdigest(),
        "licence": "AGPL-3.0",
        "labels": LABELS[: len(factors)],
        "thresholds": {"default": 0.25},
    } | more
    (folder / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    return folder
