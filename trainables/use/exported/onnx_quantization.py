"""Quantises an ONNX graph to 8 bits with onnxruntime, in two ways."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trainables.use.exported.comparison import batches_of
from trainables.use.exported.errors import ExportError, first_line, needing
from trainables.use.exported.onnx_graphs import INPUT, INSTALL, PACKAGES, quiet

if TYPE_CHECKING:  # an extra, and slow to import
    import onnx

QUANTISED = ("Conv", "Gemm", "MatMul", "Relu", "MaxPool")
"""Kinds of nodes computed in 8 bits. Preprocessing stays in float32: a raw input may have any range, and a logarithm or
a missing value has no place in 8 bits."""

DENSE = ("Gemm", "MatMul")


def quantized(graph: onnx.ModelProto, inputs: NDArray[np.float32]) -> dict[str, bytes]:
    """Return the content of the quantised graph by way, "dynamic" and "static"; `inputs` give static ranges.

    Weights are int8, with one scale for each output channel in the static form, whose last layer stays in float32: in
    8 bits the largest logits are wrong by a whole unit or two. Raises ExportError if a package is missing or neither
    way works for the graph.
    """
    with needing(PACKAGES, INSTALL):
        from onnxruntime import quantization
    import onnx

    def dynamic(path: Path) -> None:
        quantization.quantize_dynamic(_copy(graph), path, weight_type=quantization.QuantType.QInt8)

    def static(path: Path) -> None:
        dense = [node.name for node in graph.graph.node if node.op_type in DENSE]
        quantization.quantize_static(
            _copy(graph),
            path,
            _Reader(inputs),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            nodes_to_exclude=dense[-1:],
        )

    ways: dict[str, Callable[[Path], None]] = {"dynamic": dynamic, "static": static}
    found: dict[str, bytes] = {}
    failures = []
    with tempfile.TemporaryDirectory(prefix="studies-") as folder, quiet():
        for way, quantise in ways.items():
            path = Path(folder) / f"{way}.onnx"
            try:
                quantise(path)
            except Exception as error:  # for a graph of the user's own module it may raise anything
                failures.append(f"{way}: {first_line(error)}")
                continue
            made = onnx.load(path)
            del made.metadata_props[:]
            made.metadata_props.extend(graph.metadata_props)
            found[way] = made.SerializeToString(deterministic=True)
    if not found:
        raise ExportError(
            f"onnxruntime cannot quantise the network ({'; '.join(failures)})",
            "--model-format onnx keeps it in float32.",
        )
    return found


def _copy(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy: onnxruntime changes the graph that it is handed."""
    copied = type(graph)()
    copied.CopyFrom(graph)
    return copied


class _Reader:
    """Hands batches of inputs to onnxruntime, which looks at the ranges of all activations."""

    def __init__(self, inputs: NDArray[np.float32]) -> None:
        """Start with the first batch."""
        self._batches: Iterator[Any] = ({INPUT: batch} for batch in batches_of(inputs))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next batch by the input's name, None after the last."""
        return next(self._batches, None)
