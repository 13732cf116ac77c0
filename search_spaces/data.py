"""The share of the training part that is used."""

from optuna.distributions import FloatDistribution

from search_spaces.rules import is_real
from search_spaces.space import Space

TRAIN_SIZE = Space(
    name="train_size",
    about="share of the training part that is used; null uses all of it",
    rule="null or a number above 0, at most 1",
    contains=lambda value: value is None or is_real(value, 0, 1, above=True),
    default=None,
    levels=(0.1, 0.3, 1.0),
    search=FloatDistribution(0.1, 1.0, log=True),
    number=float,
)
