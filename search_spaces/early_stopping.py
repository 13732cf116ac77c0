"""Early stopping of networks."""

from optuna.distributions import IntDistribution

from search_spaces.rules import is_whole
from search_spaces.space import Space

PATIENCE = Space(
    name="patience",
    about=(
        "early stopping: epochs without improvement of monitor after which a network stops with its best weights; null "
        "trains every network to the last epoch"
    ),
    rule="null or a whole number from 1 to 10000",
    contains=lambda value: value is None or is_whole(value, 1, 10_000),
    default=None,
    levels=(None, 5),
    search=IntDistribution(2, 20),
    number=int,
)
