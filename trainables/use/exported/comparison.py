"""Runs a module and its exported form on the same examples, and says how far they are apart."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainables.use.exported.errors import ExportError
from trainables.use.exported.files import write_file
from trainables.use.exported.records import Examples, Exported, Subject
from trainables.use.exported.scores import scores_of

NUM_SINGLE = 8
"""Examples that are predicted one by one, too."""

BATCH = 500
"""Examples predicted at a time; the last batch has another size, so a free batch dimension is tried."""

MAX_DIFFERENCE = 1e-4
"""Largest absolute difference of a probability between a module and the same module in another format."""

Outputs: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Logits and probabilities, both (examples, classes)."""

Run: TypeAlias = Callable[[NDArray[np.float32]], Outputs]
"""Runs an exported form on a batch of inputs."""


class WithProbabilities(nn.Module):
    """A module that returns logits and softmax(logits / temperature)."""

    def __init__(self, module: nn.Module, temperature: float) -> None:
        """Take the module as it is, in evaluation mode."""
        super().__init__()
        self.module = module
        self.temperature = temperature
        self.eval()

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and probabilities, both (examples, classes)."""
        logits = self.module(inputs)
        scaled = logits if self.temperature == 1 else logits / self.temperature
        return logits, torch.softmax(scaled, 1)


def module_of(subject: Subject) -> WithProbabilities:
    """Return what is exported: the module with both outputs, on the CPU."""
    return WithProbabilities(copy.deepcopy(subject.module), subject.temperature).cpu()


def outputs_of_module(module: nn.Module, inputs: NDArray[np.float32]) -> Outputs:
    """Return what `module` gives for `inputs`, computed in batches."""
    with torch.inference_mode():
        found = [module(torch.from_numpy(part)) for part in batches_of(inputs)]
    return joined([(logits.numpy(), probabilities.numpy()) for logits, probabilities in found])


def outputs_of(run: Run, inputs: NDArray[np.float32], *, alone: bool = False) -> Outputs:
    """Return what an exported form gives for `inputs`, in batches or with each example `alone`."""
    parts = np.split(inputs, len(inputs)) if alone else batches_of(inputs)
    return joined([run(part) for part in parts])


def compare(run: Run, expected: Outputs, examples: Examples) -> tuple[float, float, Outputs]:
    """Return the largest differences of logits and of probabilities from `expected`, and what `run` gave in batches.

    The first examples are also predicted one by one. What is not finite in only one of the two is infinitely far away.
    """
    together = outputs_of(run, examples.inputs)
    singly = outputs_of(run, examples.inputs[:NUM_SINGLE], alone=True)
    first = expected[0][:NUM_SINGLE], expected[1][:NUM_SINGLE]
    logits, probabilities = map(
        max, zip(largest_differences(together, expected), largest_differences(singly, first), strict=True)
    )
    return logits, probabilities, together


def write_compared(
    name: str,
    path: Path,
    content: bytes,
    run: Run,
    *,
    module: nn.Module,
    subject: Subject,
    form: str | None = None,
    note: str = "",
) -> Exported:
    """Compare what `run` computes with the module on the test examples, write the file, and return how they compare.

    `module` is that of `module_of`, and `form` names what must compute the same; None where a difference is measured,
    not limited. Raises ExportError if it computes something else; nothing is written then.
    """
    expected = outputs_of_module(module, subject.test.inputs)
    logits, probabilities, found = compare(run, expected, subject.test)
    if form is not None:
        refuse_difference(probabilities, form)
    write_file(path, content)
    return Exported(
        format=name,
        paths=(path,),
        num_bytes=len(content),
        largest_logit_difference=logits,
        largest_probability_difference=probabilities,
        scores=scores_of(found[1], subject.test.targets),
        module_scores=scores_of(expected[1], subject.test.targets),
        note=note,
    )


def largest_differences(found: Outputs, expected: Outputs) -> tuple[float, float]:
    """Return the largest absolute differences of logits and of probabilities."""
    return _distance(found[0], expected[0]), _distance(found[1], expected[1])


def refuse_difference(difference: float, form: str) -> None:
    """Raise ExportError if probabilities in another format are too far from the module's."""
    if difference <= MAX_DIFFERENCE:
        return
    raise ExportError(
        f"{form} computes probabilities that differ from the module's by up to {difference:.1e} on the test examples, "
        f"and at most {MAX_DIFFERENCE:.0e} is allowed; nothing was written",
        "If the module is your own, look for an operation that depends on the batch's size, on random numbers or on "
        "the order of a sum over very large values; --model-format torch keeps it as it is.",
    )


def batches_of(inputs: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield the inputs in batches."""
    return (inputs[start : start + BATCH] for start in range(0, len(inputs), BATCH))


def joined(parts: list[Outputs]) -> Outputs:
    """Return the outputs of all parts, one after the other."""
    logits, probabilities = zip(*parts, strict=True)
    return np.concatenate(logits), np.concatenate(probabilities)


def _distance(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    if found.shape != expected.shape:
        return float("inf")
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    with np.errstate(invalid="ignore"):
        distance = np.where(same, 0.0, np.abs(found.astype(np.float64) - expected))
    return float(np.nan_to_num(distance, nan=np.inf, posinf=np.inf).max(initial=0.0))
