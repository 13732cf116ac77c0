"""The size of a network: number and width of its hidden layers."""

from optuna.distributions import IntDistribution

from search_spaces.rules import is_whole
from search_spaces.space import Space

DEPTH = Space(
    name="depth",
    about="number of hidden layers; of the model cnn, blocks of two convolutions",
    rule="a whole number from 1 to 200",
    contains=lambda value: is_whole(value, 1, 200),
    default=3,
    levels=(3, 5, 7),
    search=IntDistribution(1, 10),
    number=int,
)


def _is_width(value: object) -> bool:
    if isinstance(value, list | tuple):
        return 1 <= len(value) <= 200 and all(is_whole(units, 1, 8192) for units in value)
    return is_whole(value, 1, 8192)


WIDTH = Space(
    name="width",
    about=(
        "units of each hidden layer: one number for all, or a list with one for each; of the model cnn, channels of "
        "the first block, doubled from block to block, or a list with each block's"
    ),
    rule="a whole number from 1 to 8192, or a list with one such number for each hidden layer",
    contains=_is_width,
    default=64,
    levels=(32, 64, 128),
    search=IntDistribution(16, 256, log=True),
    number=int,
)
