import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from training.quick_boxes import with_quick_boxes

DISTANCES = np.arange(16, dtype=np.float32).reshape(1, 16, 1, 1)


def head(*, conv_bias=False):
    """The end of a YOLO head: 1 x 64 x N → 1 x 4 x N, as Ultralytics exports it."""
    held = {
        "weight": DISTANCES,
        "split": np.array([1, 4, 16, -1], np.int64),
        "joined": np.array([1, 4, -1], np.int64),
        "bias": np.zeros(1, np.float32),
    }
    weights = ["turned.soft", "weight", *(["bias"] if conv_bias else [])]
    nodes = [
        helper.make_node("Reshape", ["raw", "split"], ["parts"]),
        helper.make_node("Transpose", ["parts"], ["turned"], perm=[0, 2, 1, 3]),
        helper.make_node("Softmax", ["turned"], ["turned.soft"], "/dfl/Softmax", axis=1),
        helper.make_node("Conv", weights, ["mean"], "/dfl/conv/Conv"),
        helper.make_node("Reshape", ["mean", "joined"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "head",
        [helper.make_tensor_value_info("raw", TensorProto.FLOAT, [1, 64, "N"])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 4, "N"])],
        [numpy_helper.from_array(value, name) for name, value in held.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answer(model, raw):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"raw": raw})[0]


def test_quick_boxes_are_the_same_boxes():
    raw = np.random.default_rng(0).normal(0, 6, (1, 64, 50)).astype(np.float32)
    expected = answer(head(), raw)
    quick = with_quick_boxes(head())
    assert "Softmax" not in {node.op_type for node in quick.graph.node}
    onnx.checker.check_model(quick)
    np.testing.assert_allclose(answer(quick, raw), expected, atol=1e-4)


def test_a_graph_built_otherwise_stays_as_it_is():
    other = head(conv_bias=True)
    before = other.SerializeToString()
    assert with_quick_boxes(other).SerializeToString() == before
