"""Makes a TensorFlow Lite file of a module in the environment made for it, and compares the two."""

import json
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch

from trainables.use.exported.comparison import (
    largest_differences,
    module_of,
    outputs_of_module,
    refuse_difference,
)
from trainables.use.exported.errors import ExportError
from trainables.use.exported.files import write_file
from trainables.use.exported.programs import program_of
from trainables.use.exported.records import Exported, Subject
from trainables.use.exported.scores import scores_of
from trainables.use.exported.tflite_environment import python_of_environment

LABELS = "labels.txt"
"""The file with the classes' names, one a line, that apps read beside a TensorFlow Lite file."""

WORKER = Path(__file__).with_name("tflite_worker.py")


def export_tflite(subject: Subject, path: Path, *, is_int8: bool) -> Exported:
    """Write a TensorFlow Lite file, `inputs` (1, *input_shape) to `logits` and `probabilities`, and labels.txt.

    It takes one example at a time, as an app does. With `is_int8` the weights are int8 and activations get their range
    when they are computed (dynamic quantisation). It is compared with the module on every test example before it is
    written. Raises ExportError if there is no environment to make it in, the module cannot be expressed, or a file in
    float32 computes something else.
    """
    python = python_of_environment()
    module = module_of(subject)
    with tempfile.TemporaryDirectory(prefix="studies-") as name:
        folder = Path(name)
        np.save(folder / "inputs.npy", subject.test.inputs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own deprecations
            program = program_of(module, subject.test.inputs, is_free=False)
            torch.export.save(program, folder / "program.pt2")
        _convert(python, folder, is_int8=is_int8)
        content = (folder / "model.tflite").read_bytes()
        with np.load(folder / "outputs.npz", allow_pickle=False) as found:
            outputs = found["logits"], found["probabilities"]
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    expected = outputs_of_module(module, subject.test.inputs)
    logits, probabilities = largest_differences(outputs, expected)
    if not is_int8:
        refuse_difference(probabilities, "TensorFlow Lite")
    labels = path.with_name(LABELS)
    write_file(labels, "".join(f"{' '.join(name.split())}\n" for name in subject.classes).encode())
    write_file(path, content)
    batches = (
        "its input can be resized to any number of examples" if facts["can_be_resized"] else "one at a time"
    )
    return Exported(
        format="tflite-int8" if is_int8 else "tflite",
        paths=(path, labels),
        num_bytes=len(content),
        largest_logit_difference=logits,
        largest_probability_difference=probabilities,
        scores=scores_of(outputs[1], subject.test.targets),
        module_scores=scores_of(expected[1], subject.test.targets),
        note=f"{'dynamic quantisation; ' if is_int8 else ''}{batches}",
    )


def _convert(python: Path, folder: Path, *, is_int8: bool) -> None:
    """Run the worker, which writes into `folder`; raise ExportError with its last words if it fails."""
    command = [str(python), "-I", str(WORKER), str(folder), *(["--int8"] if is_int8 else [])]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        last = ([line for line in done.stderr.splitlines() if line.strip()] or ["no message"])[-1]
        raise ExportError(
            f"the module cannot be converted to TensorFlow Lite ({last.strip()[:300]})",
            "See whether another format serves as well: --model-format onnx or onnx-int8 run on phones, too.",
        )
