"""ONNX: one graph from inputs to logits and probabilities, preprocessing that the module does included."""

from pathlib import Path

from trainables.use.exported.comparison import module_of, write_compared
from trainables.use.exported.onnx_graphs import graph_of, runner, serialized
from trainables.use.exported.records import Exported, Subject

FILE = "model.onnx"


def export(subject: Subject, folder: Path) -> Exported:
    """Write `folder`/model.onnx: inputs (any number of examples, *input_shape) to logits and probabilities.

    It is compared with the module by onnxruntime before it is written. Raises ExportError as `formats.export` does.
    """
    module = module_of(subject)
    content = serialized(graph_of(module, subject.test.inputs, subject.all_metadata))
    run = runner(content)
    return write_compared("onnx", folder / FILE, content, run, module=module, subject=subject, form="ONNX")
