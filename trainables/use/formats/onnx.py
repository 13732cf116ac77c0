"""ONNX: one graph from inputs to logits and probabilities, preprocessing that the module does included."""

from pathlib import Path

from trainables.use.exported.comparison import compare, module_of, outputs_of_module, refuse_difference
from trainables.use.exported.files import write_file
from trainables.use.exported.onnx_graphs import graph_of, runner, serialized
from trainables.use.exported.records import Exported, Subject
from trainables.use.exported.scores import scores_of

FILE = "model.onnx"


def export(subject: Subject, folder: Path) -> Exported:
    """Write `folder`/model.onnx: inputs (any number of examples, *input_shape) to logits and probabilities.

    It is compared with the module by onnxruntime before it is written. Raises ExportError as `formats.export` does.
    """
    module = module_of(subject)
    content = serialized(graph_of(module, subject.test.inputs, subject.all_metadata))
    expected = outputs_of_module(module, subject.test.inputs)
    logits, probabilities, found = compare(runner(content), expected, subject.test)
    refuse_difference(probabilities, "ONNX")
    write_file(folder / FILE, content)
    return Exported(
        format="onnx",
        paths=(folder / FILE,),
        num_bytes=len(content),
        largest_logit_difference=logits,
        largest_probability_difference=probabilities,
        scores=scores_of(found[1], subject.test.targets),
        module_scores=scores_of(expected[1], subject.test.targets),
    )
