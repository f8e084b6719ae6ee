import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from training.quick_layers import with_quick_layers

CHANNELS = 16
RNG = np.random.default_rng(0)
HELD = {
    "weight": RNG.normal(0, 0.3, (CHANNELS, 3, 3, 3)).astype(np.float32),
    "bias": RNG.normal(0, 0.3, CHANNELS).astype(np.float32),
    "pieces": np.array([CHANNELS // 4, CHANNELS // 4 * 3], np.int64),
    "after": RNG.normal(0, 0.3, (4, CHANNELS, 1, 1)).astype(np.float32),
    "flat": np.array([1, 4, -1], np.int64),
    "height": np.array(2, np.int64),
    "channels": np.array(1, np.int64),
}


def block(*, axis=1, asked="height"):
    """A layer as YOLO has it, cut in two and joined again, and a head that asks for a side."""
    make = helper.make_node
    nodes = [
        make("Conv", ["picture", "weight", "bias"], ["raw"], "conv", pads=[1] * 4),
        make("Sigmoid", ["raw"], ["gate"], "gate"),
        make("Mul", ["raw", "gate"], ["active"], "act"),
        make("Split", ["active", "pieces"], ["a", "b"], "split", axis=axis),
        make("Neg", ["b"], ["turned"]),
        make("Concat", ["turned", "a"], ["both"], axis=axis),
        make("Shape", ["both"], ["shape"]),
        make("Gather", ["shape", asked], ["side"]),
        make("Conv", ["both", "after"], ["head"], "head", kernel_shape=[1, 1]),
        make("Reshape", ["head", "flat"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "block",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 16, "W"])],
        [
            helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 4, "N"]),
            helper.make_tensor_value_info("side", TensorProto.INT64, []),
        ],
        [numpy_helper.from_array(value, name) for name, value in HELD.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answers(model):
    picture = np.random.default_rng(1).random((1, 3, 16, 24), np.float32)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"picture": picture})


def test_quick_layers_answer_the_same_without_a_cut_in_their_middle():
    expected, height = answers(block())
    quick = with_quick_layers(block())
    onnx.checker.check_model(quick)
    assert "Split" not in {node.op_type for node in quick.graph.node}
    held = {each.name for each in quick.graph.initializer}
    assert held <= {name for node in quick.graph.node for name in node.input}
    answer, side = answers(quick)
    np.testing.assert_allclose(answer, expected, atol=1e-5)
    assert side == height == 16


@pytest.mark.parametrize(("asked", "asks_of"), [("height", "head"), ("channels", "both")])
def test_sides_are_asked_of_what_is_flat_and_channels_of_what_has_them(asked, asks_of):
    quick = with_quick_layers(block(asked=asked))
    (shape,) = (node for node in quick.graph.node if node.op_type == "Shape")
    assert list(shape.input) == [asks_of]
    assert answers(quick)[1] == answers(block(asked=asked))[1]


def test_a_cut_along_a_side_stays():
    quick = with_quick_layers(block(axis=2))
    assert "Split" in {node.op_type for node in quick.graph.node}
    np.testing.assert_array_equal(answers(quick)[0], answers(block(axis=2))[0])
