"""What is exported, and what came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from trainables.use.exported.scores import Scores


@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """Real inputs as the module takes them, (examples, *input_shape) in float32, and their classes, (examples,)."""

    inputs: NDArray[np.float32]
    targets: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Raise ValueError unless there are at least two examples, each with a target, in float32."""
        if len(self.inputs) < 2 or len(self.inputs) != len(self.targets) or self.inputs.dtype != np.float32:
            raise ValueError(
                "examples must be at least two, in float32, with one target each; got inputs "
                f"{self.inputs.shape} in {self.inputs.dtype} and targets {self.targets.shape}"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A trained module with all that is exported beside it.

    `module` is in eval mode and maps (examples, *input_shape) in float32 to logits (examples, classes); its
    probabilities are softmax(logits / temperature). `validation` examples calibrate what is quantised, `test` examples
    measure it. `kind` says what an input is: table, text, image or array.
    """

    module: nn.Module
    study: str
    classes: tuple[str, ...]
    test: Examples
    validation: Examples
    kind: str = "array"
    feature_names: tuple[str, ...] = ()
    temperature: float = 1.0
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Further texts for the file, by name."""

    @property
    def all_metadata(self) -> dict[str, str]:
        """Return what the file says of itself, by name; lists are JSON."""
        return {
            "study": self.study,
            "classes": json.dumps(self.classes, ensure_ascii=False),
            "input_kind": self.kind,
            "input_shape": json.dumps(self.test.inputs.shape[1:]),
            "feature_names": json.dumps(self.feature_names, ensure_ascii=False),
            "temperature": repr(self.temperature),
            **self.metadata,
        }


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written in one format, and how it compares with the module on the test examples.

    The first of `paths` is the network, of `num_bytes`.
    The differences are the largest absolute ones over all test examples, one by one and in batches.
    """

    format: str
    paths: tuple[Path, ...]
    num_bytes: int
    largest_logit_difference: float
    largest_probability_difference: float
    scores: Scores
    module_scores: Scores
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "format": self.format,
            "paths": [str(path) for path in self.paths],
            "bytes": self.num_bytes,
            "largest_logit_difference": self.largest_logit_difference,
            "largest_probability_difference": self.largest_probability_difference,
            **self.scores.as_json(),
            "module": self.module_scores.as_json(),
            "note": self.note,
        }
