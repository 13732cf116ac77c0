"""ONNX with weights in 8 bits, for small machines: quantised in two ways, of which the better one is kept."""

from pathlib import Path

from trainables.use.exported.comparison import Outputs, module_of, outputs_of, write_compared
from trainables.use.exported.onnx_graphs import graph_of, runner
from trainables.use.exported.onnx_quantization import quantized
from trainables.use.exported.records import Exported, Subject
from trainables.use.exported.scores import scores_of

FILE = "model-int8.onnx"

LEAST_LOSS = 1e-3
"""A smaller difference of validation log-losses, in nats, does not matter; then the smaller file is kept."""


def export(subject: Subject, folder: Path) -> Exported:
    """Write `folder`/model-int8.onnx, with the same input and outputs as ONNX in float32.

    It is made twice. With *dynamic* quantisation weights are int8 and each batch's activations get their range when it
    is computed, so that a prediction depends a little on the others in its batch; with *static* quantisation the ranges
    are those that the validation examples have. The one with the lower log-loss on the validation examples is kept:
    which one suits depends on the network. Raises ExportError as `formats.export` does; how far the result is from the
    module is measured, not limited.
    """
    module = module_of(subject)
    graph = graph_of(module, subject.test.inputs, subject.all_metadata)
    validation = subject.validation
    losses: dict[str, float] = {}
    forms = quantized(graph, validation.inputs)
    for way, content in forms.items():
        found: Outputs = outputs_of(runner(content), validation.inputs)
        losses[way] = scores_of(found[1], validation.targets).log_loss
    least = min(losses.values())
    way = min((way for way in forms if losses[way] < least + LEAST_LOSS), key=lambda way: len(forms[way]))
    content = forms[way]
    told = ", ".join(f"{loss:.4f} {way}" for way, loss in losses.items())
    return write_compared(
        "onnx-int8",
        folder / FILE,
        content,
        runner(content),
        module=module,
        subject=subject,
        note=f"{way} quantisation, chosen by validation log-loss ({told})",
    )
