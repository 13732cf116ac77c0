"""Models made from networks that were trained for a moment, for tests of their use."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.trainables.small import splits_of, trial_spec
from trainables.base.records import ReplicateRecord
from trainables.data.dataset import Dataset
from trainables.data.splits import Split
from trainables.data.stack_data import StackData
from trainables.trials.reporting import train_trial_spec
from trainables.use.making import MadeModel, make_model
from trainables.use.saved_model import ModelConfig
from trainables.user_code.code import OWN, UserCode

CARD: Mapping[str, Any] = {
    "question": "Does depth help?",
    "configuration": "depth 2",
    "about": "examples",
    "licence": "free",
    "scores": [["test log-loss, nats", "0.1", "0.1 [0.0, 0.2]"]],
    "limits": ["It is a test."],
}


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A model of the second of two replicates, the record of its trial, and its data."""

    made: MadeModel
    record: ReplicateRecord
    dataset: Dataset
    split: Split

    def write(self, folder: Path) -> Path:
        """Write the model's files and return the folder."""
        for name, content in self.made.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder


def train(dataset: Dataset, *, code: UserCode | None = None, model: str = "mlp", **changes: Any) -> Trained:
    """Train two replicates on a dataset for three epochs and make the model of the second one."""
    spec = trial_spec(
        blocks=(0, 1),
        seeds=(11, 12),
        reads_test=True,
        keeps_models=True,
        model=OWN if code else model,
        **changes,
    )
    splits = splits_of(dataset, spec.blocks)
    data = StackData.make(dataset, splits, torch.device("cpu"))
    build = None if code is None else code.build
    *_, last = train_trial_spec(spec, data, worker="", build=build)
    blocks = {
        f"block-{block}.safetensors": content for block, content in zip(spec.blocks, last.models, strict=True)
    }
    config = ModelConfig(
        study="small",
        model=spec.model,
        hyperparameters=asdict(spec.hyperparameters),
        input_shape=data.input_shape,
        classes=dataset.classes,
        dataset=dataset.name,
        trial=7,
        block=1,
        chosen="the second",
    )
    made = make_model(
        config,
        kept=last.models[1],
        blocks=blocks,
        dataset=dataset,
        split=splits[1],
        training={"epochs": 3},
        card=CARD,
        code=code,
    )
    return Trained(made=made, record=last.replicates[1], dataset=dataset, split=splits[1])


def images(num: int = 200) -> Dataset:
    """Return made-up colour images of 8 x 8 pixels, 0 to 1; the class is the brightest channel."""
    random = np.random.default_rng(0)
    targets = np.arange(num) % 3
    inputs = random.random((num, 3, 8, 8))
    inputs[np.arange(num), targets] += 0.5
    return Dataset(
        name="colours",
        about="made-up",
        licence="free",
        inputs=(inputs / 1.5).reshape(num, -1).astype(np.float32),
        targets=targets.astype(np.int64),
        classes=("red", "green", "blue"),
        shape=(3, 8, 8),
        groups=np.zeros(192, np.int64),
    )
