"""Makes an ONNX graph of a module, and runs one with onnxruntime."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from trainables.use.exported.comparison import Outputs, Run
from trainables.use.exported.errors import ExportError, first_line, needing
from trainables.use.exported.programs import NUM_SAMPLES

if TYPE_CHECKING:  # an extra, and slow to import
    import onnx

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
INSTALL = "pip install 'studies[onnx]'"

INPUT, OUTPUTS = "inputs", ("logits", "probabilities")
"""Names of the graph's input and outputs."""

MAX_THREADS = 2
"""Threads that onnxruntime uses."""

MAX_BYTES = 2**31 - 1
"""Largest ONNX file: it is one protobuf message."""


def graph_of(module: nn.Module, inputs: NDArray[np.float32], metadata: Mapping[str, str]) -> onnx.ModelProto:
    """Return the graph of a module that returns logits and probabilities; the number of examples is free.

    `inputs` are at least two examples; `metadata` goes into `metadata_props`. Where the module was written and on which
    machine is not in the graph. Raises ExportError if a package is missing or the module cannot be expressed in ONNX.
    """
    with needing(PACKAGES, INSTALL):
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    sample = torch.from_numpy(inputs[:NUM_SAMPLES])
    with quiet():
        try:
            program = torch.onnx.export(
                module,
                (sample,),
                dynamo=True,
                verbose=False,
                input_names=[INPUT],
                output_names=list(OUTPUTS),
                dynamic_shapes=({0: torch.export.Dim("examples")},),
            )
        except Exception as error:  # torch raises errors of many kinds, some with pages of advice
            raise ExportError(
                f"torch cannot express the module in ONNX ({first_line(error)})",
                "If the module is your own, see that its forward() has no branch that depends on values and takes any "
                "number of examples; --model-format torch may still work.",
            ) from error
    assert program is not None
    graph = program.model_proto
    _forget_origin(graph)
    for name, text in metadata.items():
        entry = graph.metadata_props.add()
        entry.key, entry.value = name, text
    graph.producer_name, graph.producer_version = "Studies, with PyTorch", torch.__version__
    return graph


def serialized(graph: onnx.ModelProto) -> bytes:
    """Return a graph as the content of a file; raise ExportError if it is too large for one."""
    num_bytes = graph.ByteSize()
    if num_bytes > MAX_BYTES:
        raise ExportError(
            f"the network takes {num_bytes / 1e9:.1f} GB, and an ONNX file holds at most {MAX_BYTES / 1e9:.1f}",
            "--model-format torch has no such limit.",
        )
    content: bytes = graph.SerializeToString(deterministic=True)
    return content


def runner(content: bytes) -> Run:
    """Return a function that runs the graph in `content` on a CPU, with few threads."""
    with needing(PACKAGES, INSTALL):
        import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(MAX_THREADS, torch.get_num_threads())
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(inputs: NDArray[np.float32]) -> Outputs:
        logits, probabilities = session.run(list(OUTPUTS), {INPUT: inputs})
        return logits, probabilities

    return run


def _forget_origin(graph: onnx.ModelProto) -> None:
    """Take out paths and stack traces of the machine that exported, which torch notes at each node."""

    def strip(part: Any) -> None:
        del part.metadata_props[:]
        part.doc_string = ""

    strip(graph)
    strip(graph.graph)
    for parts in (graph.graph.node, graph.graph.value_info, graph.graph.input, graph.graph.output):
        for part in parts:
            strip(part)
    for tensor in graph.graph.initializer:
        strip(tensor)
    for function in graph.functions:
        strip(function)
        for node in function.node:
            strip(node)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep exporters from speaking of packages that are not needed, of their own deprecations and of their steps."""
    loggers = [logging.getLogger(name) for name in (None, "torch.onnx")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
