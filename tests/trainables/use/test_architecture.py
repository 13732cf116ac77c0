"""The table of a network's layers, and what stands there where a module cannot take random numbers."""

import torch
from torch import Tensor, nn

from trainables.use.architecture import architecture


class Choosy(nn.Module):
    """A module that takes whole numbers only, as one that looks something up does."""

    def __init__(self) -> None:
        """Have parameters."""
        super().__init__()
        self.last = nn.Linear(4, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        """Refuse what is not whole."""
        if not torch.equal(inputs, inputs.round()):
            raise ValueError("whole numbers only")
        logits: Tensor = self.last(inputs)
        return logits


def test_a_table_of_layers() -> None:
    text = architecture(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), (4,))
    assert "[1, 3]" in text
    assert "Total params: 23" in text


def test_a_module_that_refuses_random_numbers_is_listed_without_shapes() -> None:
    text = architecture(Choosy(), (4,))
    assert "(last): Linear(in_features=4, out_features=2, bias=True)" in text
    assert text.endswith("Trainable params: 10\n")
