"""Kept weights: a network built from the file alone gives the test scores that were recorded."""

import json
from typing import Any

import pytest
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from tests.trainables.small import assignment
from trainables.artifact import from_bytes, to_bytes
from trainables.reporting import train_assignment
from trainables.training import StackData


def rebuilt(data: bytes, metadata: dict[str, str]) -> nn.Sequential:
    """Return torch's own network with the weights in `data`, its form read from the metadata."""
    hp: dict[str, Any] = json.loads(metadata["hyperparameters"])
    state = from_bytes(data)
    activation = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[hp["activation"]]
    widths = [int(metadata["num_features"]), *[hp["width"]] * hp["depth"]]
    layers: list[nn.Module] = []
    with torch.no_grad():
        for index in range(hp["depth"]):
            linear = nn.Linear(widths[index], widths[index + 1], bias=not hp["batch_norm"])
            fill(linear, state, f"blocks.{index}", {"weight": "weight", "bias": "bias"})
            layers.append(linear)
            if hp["batch_norm"]:
                norm = nn.BatchNorm1d(widths[index + 1])
                names = {"weight": "scale", "bias": "shift"}
                names |= {"running_mean": "running_mean", "running_var": "running_variance"}
                fill(norm, state, f"blocks.{index}", names)
                layers.append(norm)
            layers.append(activation())
        output = nn.Linear(widths[-1], int(metadata["num_classes"]))
        fill(output, state, "output", {"weight": "weight", "bias": "bias"})
    return nn.Sequential(*layers, output).eval()


def fill(layer: nn.Module, state: dict[str, Tensor], prefix: str, names: dict[str, str]) -> None:
    own = dict(layer.named_parameters()) | dict(layer.named_buffers())
    for name, recorded in names.items():
        if name in own:
            own[name].copy_(state[f"{prefix}.{recorded}"])


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_rebuilt_network_scores_as_recorded(
    digits: StackData, tmp_path: Any, batch_norm: bool, activation: str
) -> None:
    kept = assignment(
        batch_norm=batch_norm, activation=activation, dropout=0.3, reads_test=True, keeps_models=True
    )
    *_, last = train_assignment(kept, digits, worker="")
    for replicate, (data, record) in enumerate(zip(last.models, last.replicates, strict=True)):
        path = tmp_path / f"{replicate}.safetensors"
        path.write_bytes(data)
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
        rows = digits.test[replicate]
        with torch.no_grad():
            logits = rebuilt(data, metadata)(digits.inputs[rows])
        targets = digits.targets[rows]
        assert float(nn.functional.cross_entropy(logits, targets)) == pytest.approx(
            record.test_loss, rel=1e-5
        )
        assert float((logits.argmax(1) == targets).float().mean()) == pytest.approx(record.test_accuracy)


def test_damaged_bytes_are_refused_and_run_nothing() -> None:
    data = to_bytes({"weight": torch.ones(2, 3)}, {"what": "a test"})
    assert from_bytes(data)["weight"].shape == (2, 3)
    with pytest.raises(SafetensorError):
        from_bytes(data[:-3])
    with pytest.raises(SafetensorError):
        from_bytes(b"cos\nsystem\n(S'echo run'\ntR.")
