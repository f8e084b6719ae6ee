"""A YOLO graph that a runtime need not lay out anew in its middle, with the same answers.

On the CPU the fast convolutions of ONNX Runtime keep channels in blocks. A layer that cuts a
tensor into groups of channels breaks them: all is written out flat, cut and blocked again. A
convolution whose answer is cut is the same as one for each piece. And of a tensor whose height
and width alone are asked for, another one tells that is written out flat anyway.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx


def with_quick_layers(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """The same model, changed in place; where it is built otherwise it stays as it is."""
    for output in [node.output[0] for node in model.graph.node if node.op_type == "Split"]:
        _part(model.graph, output)
    _measure_what_is_flat(model.graph)
    _sort(model.graph)
    _drop_unused(model.graph)
    del model.graph.value_info[:]
    return model


def _part(graph: Any, output: str) -> None:
    """One convolution for each piece of a split along the channels, if one alone feeds it.

    `output`: of the split, by which it is known: nodes are others once a graph was changed.
    """
    from onnx import helper, numpy_helper

    held = {each.name: each for each in graph.initializer}
    split = next(node for node in graph.node if output in node.output)
    activation = _activated_by(graph, split.input[0])
    if activation is None or _axis(split) != 1:
        return
    conv, sigmoid, product = activation
    if any(name not in held for name in [*conv.input[1:], *split.input[1:]]):
        return
    sizes = _sizes(split, held, numpy_helper.to_array(held[conv.input[1]]).shape[0])
    if sizes is None or _group(conv) != 1:
        return
    nodes, first = [], 0
    for number, (size, piece_of_it) in enumerate(zip(sizes, split.output, strict=True)):
        rows, names = slice(first, first + size), []
        for name in conv.input[1:]:
            piece = numpy_helper.to_array(held[name])[rows]
            names.append(f"{name}.{number}")
            graph.initializer.append(
                numpy_helper.from_array(np.ascontiguousarray(piece), names[-1])
            )
        first += size
        raw, gate = f"{conv.output[0]}.{number}", f"{sigmoid.output[0]}.{number}"
        parted = helper.make_node("Conv", [conv.input[0], *names], [raw], f"{conv.name}.{number}")
        parted.attribute.extend(conv.attribute)
        nodes += [
            parted,
            helper.make_node("Sigmoid", [raw], [gate], f"{sigmoid.name}.{number}"),
            helper.make_node("Mul", [raw, gate], [piece_of_it], f"{product.name}.{number}"),
        ]
    gone = [conv.output[0], sigmoid.output[0], product.output[0], output]
    at = next(i for i, node in enumerate(graph.node) if node.output[0] == conv.output[0])
    kept = [*graph.node[:at], *nodes, *graph.node[at:]]
    kept = [node for node in kept if node.output[0] not in gone or node in nodes]
    del graph.node[:]
    graph.node.extend(kept)
    for name in conv.input[1:]:
        graph.initializer.remove(held[name])


def _activated_by(graph: Any, name: str) -> tuple[Any, Any, Any] | None:
    """The convolution, sigmoid and product (x · σ(x)) that make a tensor; None: otherwise."""
    made_by = {output: node for node in graph.node for output in node.output}
    product = made_by.get(name)
    if product is None or product.op_type != "Mul" or len(_users(graph, name)) != 1:
        return None
    makers = [made_by.get(each) for each in product.input]
    by_kind = {maker.op_type: maker for maker in makers if maker is not None}
    conv, sigmoid = by_kind.get("Conv"), by_kind.get("Sigmoid")
    if conv is None or sigmoid is None or list(sigmoid.input) != list(conv.output):
        return None
    if len(_users(graph, conv.output[0])) != 2 or len(_users(graph, sigmoid.output[0])) != 1:
        return None
    return conv, sigmoid, product


def _measure_what_is_flat(graph: Any) -> None:
    """Ask for the shape of a head's answer, which is reshaped next, not of what it is made from."""
    made_by = {output: node for node in graph.node for output in node.output}
    flat = {node.input[0] for node in graph.node if node.op_type == "Reshape"}
    for shape in [node for node in graph.node if node.op_type == "Shape"]:
        if not _no_channels_are_asked_for(graph, shape):
            continue
        same = _same_sides(made_by, flat, shape.input[0])
        if same is not None:
            shape.input[0] = same


def _same_sides(made_by: dict[str, Any], flat: set[str], name: str) -> str | None:
    """A flat tensor that comes of `name` by convolutions that keep its height and width."""
    for end in sorted(flat):
        back = end
        while back != name:
            maker = made_by.get(back)
            if maker is None or not _keeps_sides(maker):
                break
            back = maker.input[0]
        else:
            return end
    return None


def _keeps_sides(node: Any) -> bool:
    if node.op_type in {"Mul", "Sigmoid"}:
        return True
    if node.op_type != "Conv":
        return False
    told = {each.name: list(each.ints) for each in node.attribute if each.ints}
    kernel, pads = told.get("kernel_shape", []), told.get("pads", [0, 0, 0, 0])
    is_plain = set(told.get("strides", [1, 1])) | set(told.get("dilations", [1, 1])) == {1}
    return is_plain and [2 * pad + 1 for pad in pads] == [*kernel, *kernel]


def _no_channels_are_asked_for(graph: Any, shape: Any) -> bool:
    from onnx import numpy_helper

    held = {each.name: each for each in graph.initializer}
    made_by = {output: node for node in graph.node for output in node.output}
    for user in _users(graph, shape.output[0]):
        if user.op_type != "Gather":
            return False
        maker = made_by.get(user.input[1])
        if user.input[1] in held:
            which = numpy_helper.to_array(held[user.input[1]])
        elif maker is not None and maker.op_type == "Constant":
            which = numpy_helper.to_array(maker.attribute[0].t)
        else:
            return False
        if not set(np.atleast_1d(which).tolist()) <= {0, 2, 3}:
            return False
    return True


def _sort(graph: Any) -> None:
    """Every node after those it takes from, else in the order there was."""
    waiting = list(graph.node)
    missing = {output for node in waiting for output in node.output}
    ordered = []
    while waiting:
        ready = next(node for node in waiting if missing.isdisjoint(node.input))
        waiting.remove(ready)
        ordered.append(ready)
        missing.difference_update(ready.output)
    del graph.node[:]
    graph.node.extend(ordered)


def _drop_unused(graph: Any) -> None:
    used = {name for node in graph.node for name in node.input}
    for each in [each for each in graph.initializer if each.name not in used]:
        graph.initializer.remove(each)


def _users(graph: Any, name: str) -> list[Any]:
    return [node for node in graph.node if name in node.input]


def _axis(node: Any) -> int:
    return next((int(each.i) for each in node.attribute if each.name == "axis"), 0)


def _group(node: Any) -> int:
    return next((int(each.i) for each in node.attribute if each.name == "group"), 1)


def _sizes(split: Any, held: dict[str, Any], channels: int) -> list[int] | None:
    """Channels of each piece; None where they are not told."""
    from onnx import numpy_helper

    if len(split.input) == 2:
        sizes = [int(size) for size in numpy_helper.to_array(held[split.input[1]])]
        return sizes if sum(sizes) == channels and len(sizes) == len(split.output) else None
    if channels % len(split.output):
        return None
    return [channels // len(split.output)] * len(split.output)
