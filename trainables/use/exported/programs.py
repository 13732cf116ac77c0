"""Makes a program of torch.export of a module."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from trainables.use.exported.errors import ExportError, first_line

NUM_SAMPLES = 2
"""Examples with which the module is traced: with a single one its size would be taken for a constant."""


def program_of(
    module: nn.Module, inputs: NDArray[np.float32], *, is_free: bool
) -> torch.export.ExportedProgram:
    """Return the program for any number of examples if `is_free`, else for exactly one at a time.

    Raises ExportError if the module cannot be expressed.
    """
    sample = torch.from_numpy(inputs[: NUM_SAMPLES if is_free else 1])
    shapes = ({0: torch.export.Dim("examples")},) if is_free else None
    try:
        return torch.export.export(module, (sample,), dynamic_shapes=shapes)
    except Exception as error:  # torch raises errors of many kinds, some with pages of advice
        raise ExportError(
            f"torch cannot express the module as a program ({first_line(error)})",
            "If the module is your own, see that its forward() has no branch that depends on values and takes any "
            "number of examples.",
        ) from error
