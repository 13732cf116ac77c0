"""A .pt2 file of torch.export: the module as a program that PyTorch runs without the module's Python source."""

import io
import json
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from trainables.use.exported.comparison import Outputs, module_of, write_compared
from trainables.use.exported.programs import program_of
from trainables.use.exported.records import Exported, Subject

FILE = "model.pt2"
METADATA = "metadata.json"
"""Name of the text in the file that holds the classes and the like: see `torch.export.load`, `extra_files`."""


def export(subject: Subject, folder: Path) -> Exported:
    """Write `folder`/model.pt2; `torch.export.load(path).module()` maps inputs to (logits, probabilities).

    It is loaded again and compared with the module before it is written. Raises ExportError as `formats.export` does.
    """
    module = module_of(subject)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own deprecations
        program = program_of(module, subject.test.inputs, is_free=True)
        torch.export.save(program, buffer, extra_files={METADATA: json.dumps(subject.all_metadata)})
        buffer.seek(0)
        loaded = torch.export.load(buffer).module()

    def run(inputs: NDArray[np.float32]) -> Outputs:
        with torch.inference_mode():
            logits, probabilities = loaded(torch.from_numpy(inputs))
        return logits.numpy(), probabilities.numpy()

    return write_compared(
        "torch",
        folder / FILE,
        buffer.getvalue(),
        run,
        module=module,
        subject=subject,
        form="The program of torch.export",
    )
