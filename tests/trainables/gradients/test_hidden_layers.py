"""Hidden layers are found in networks of every usual form, with what each of them makes."""

import pytest
import torch
from torch import Tensor, nn

from trainables.gradients.hidden_layers import layers_of

EXAMPLES = 3


class Attention(nn.Module):
    """Queries, keys and values side by side, then a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.token = nn.Embedding(7, 8), nn.Parameter(torch.zeros(1, 1, 8))
        self.query, self.key, self.value = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.norm, self.output = nn.LayerNorm((5, 8)), nn.Linear(8, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        embedded = self.embedding(inputs) + self.token
        mixed = nn.functional.scaled_dot_product_attention(
            self.query(embedded), self.key(embedded), self.value(embedded)
        )
        logits: Tensor = self.output(self.norm(mixed).mean(1))
        return logits


class Residual(nn.Module):
    """A convolution beside a shortcut that is a convolution, too."""

    def __init__(self) -> None:
        super().__init__()
        self.branch, self.shortcut = nn.Conv2d(1, 4, 3), nn.Conv2d(1, 4, 3)
        self.output = nn.Linear(4, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        joined = (self.branch(inputs) + self.shortcut(inputs)).relu()
        logits: Tensor = self.output(joined.mean((2, 3)))
        return logits


class Sequence(nn.Module):
    """A recurrent layer, an attention of torch's own, and a head beside the output that nothing reads."""

    def __init__(self) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(4, 6, batch_first=True)
        self.attention = nn.MultiheadAttention(6, 2, batch_first=True)
        self.aside, self.output = nn.Linear(6, 9), nn.Linear(6, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden, _ = self.recurrent(inputs)
        attended, _ = self.attention(hidden, hidden, hidden)
        self.aside(attended)
        logits: Tensor = self.output(attended[:, -1])
        return logits


def windows() -> nn.Module:
    """Return a network that looks at windows of a picture as if they were examples."""
    return nn.Sequential(
        nn.Unflatten(1, (2, 8)), nn.Flatten(0, 1), nn.Linear(8, 3), nn.Linear(3, 4), nn.Unflatten(0, (-1, 2)),
        nn.Flatten(1), nn.Linear(8, 2),
    )  # fmt: skip


TIED = nn.Linear(5, 5)

NETWORKS = {
    "dense": (
        nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.ReLU(inplace=True), nn.Linear(7, 2)),
        torch.ones(EXAMPLES, 5),
        [("0", "3", 7, 7)],
    ),
    "pictures": (
        nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(24, 2)
        ),
        torch.ones(EXAMPLES, 1, 6, 6),
        [("0", "2", 64, 4), ("2", "5", 24, 24)],
    ),
    "attention": (
        Attention(),
        torch.ones(EXAMPLES, 5, dtype=torch.int64),
        [("embedding", "query", 40, 8), *((name, "output", 8, 8) for name in ("query", "key", "value"))],
    ),
    "residual": (
        Residual(),
        torch.ones(EXAMPLES, 1, 5, 5),
        [("branch", "output", 4, 4), ("shortcut", "output", 4, 4)],
    ),
    "sequence": (
        Sequence(),
        torch.ones(EXAMPLES, 5, 4),
        [("recurrent", "attention", 30, 6), ("attention", "aside", 30, 6)],
    ),
    "windows": (windows(), torch.ones(EXAMPLES, 16), [("2", "3", 6, 3), ("3", "6", 8, 8)]),
    "tied": (
        nn.Sequential(TIED, nn.ReLU(), nn.Linear(5, 5), TIED, nn.Linear(5, 2)),
        torch.ones(EXAMPLES, 5),
        [("0", "2", 5, 5), ("2", "4", 5, 5)],
    ),
    "frozen": (
        nn.Sequential(nn.Linear(5, 5).requires_grad_(False), nn.Linear(5, 4), nn.Linear(4, 2)),
        torch.ones(EXAMPLES, 5),
        [("1", "2", 4, 4)],
    ),
    "one layer": (nn.Linear(5, 2), torch.ones(EXAMPLES, 5), []),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_with_their_readers_sizes_and_units(name: str) -> None:
    module, inputs, expected = NETWORKS[name]
    found = layers_of(module, [inputs], EXAMPLES)
    assert [(layer.name, layer.reader, layer.size, layer.units) for layer in found] == expected


def test_weights_are_parameters_of_two_dimensions_or_more() -> None:
    recurrent, attention = layers_of(Sequence(), [torch.ones(EXAMPLES, 5, 4)], EXAMPLES)
    assert recurrent.weights == ("recurrent.weight_ih_l0", "recurrent.weight_hh_l0")
    assert attention.weights == ("attention.in_proj_weight", "attention.out_proj.weight")


def test_an_output_without_an_axis_of_examples_is_refused() -> None:
    module = nn.Sequential(nn.Linear(5, 4), nn.Flatten(0), nn.Unflatten(0, (1, 12)), nn.Linear(12, 6))
    with pytest.raises(ValueError, match=r"what follows layer 0 has shape \(1, 12\) for 3 examples"):
        layers_of(module, [torch.ones(EXAMPLES, 5)], EXAMPLES)
