"""Kept weights: a network built from the file alone gives the test scores that were recorded."""

import pytest
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from tests.trainables.small import trial_spec
from trainables.data.stack_data import StackData
from trainables.trials.artifact import from_bytes, metadata_of, to_bytes
from trainables.trials.reporting import train_trial_spec

pytestmark = pytest.mark.numeric


def rebuilt(data: bytes) -> nn.Sequential:
    """Return torch's own network with the weights in `data`, its form read from the metadata."""
    metadata, state = metadata_of(data), from_bytes(data)
    hp = metadata["hyperparameters"]
    activation = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[hp["activation"]]
    widths = [metadata["num_features"], *[hp["width"]] * hp["depth"]]
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
        output = nn.Linear(widths[-1], metadata["num_classes"])
        fill(output, state, "output", {"weight": "weight", "bias": "bias"})
    return nn.Sequential(*layers, output).eval()


def fill(layer: nn.Module, state: dict[str, Tensor], prefix: str, names: dict[str, str]) -> None:
    own = dict(layer.named_parameters()) | dict(layer.named_buffers())
    for name, recorded in names.items():
        if name in own:
            own[name].copy_(state[f"{prefix}.{recorded}"])


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_rebuilt_network_scores_as_recorded(digits: StackData, batch_norm: bool, activation: str) -> None:
    kept = trial_spec(
        batch_norm=batch_norm, activation=activation, dropout=0.3, reads_test=True, keeps_models=True
    )
    *_, last = train_trial_spec(kept, digits, worker="")
    for replicate, (data, record) in enumerate(zip(last.models, last.replicates, strict=True)):
        rows = digits.test[replicate]
        with torch.no_grad():
            logits = rebuilt(data)(digits.inputs[rows])
        targets = digits.targets[rows]
        assert float(nn.functional.cross_entropy(logits, targets)) == pytest.approx(
            record.test_loss, rel=1e-5
        )
        assert float((logits.argmax(1) == targets).float().mean()) == pytest.approx(record.test_accuracy)


def test_the_same_network_gives_the_same_bytes() -> None:
    state = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
    metadata = {"hyperparameters": {"depth": 1, "betas": (0.9, 0.99)}, "num_classes": 2, "num_features": 3}
    written = {to_bytes(state, metadata) for _ in range(20)}
    assert len(written) == 1
    assert metadata_of(written.pop())["hyperparameters"] == {"depth": 1, "betas": [0.9, 0.99]}


def test_damaged_bytes_are_refused_and_run_nothing() -> None:
    data = to_bytes({"weight": torch.ones(2, 3)}, {"what": "a test"})
    assert from_bytes(data)["weight"].shape == (2, 3)
    with pytest.raises(SafetensorError):
        from_bytes(data[:-3])
    with pytest.raises(SafetensorError):
        from_bytes(b"cos\nsystem\n(S'echo run'\ntR.")
