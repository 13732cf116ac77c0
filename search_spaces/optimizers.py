"""The optimizer and its settings, with a range of learning rates for each optimizer."""

from types import MappingProxyType

from optuna.distributions import CategoricalDistribution, FloatDistribution

from search_spaces.rules import is_real, is_whole, one_of
from search_spaces.space import Space

OPTIMIZER = one_of(
    "optimizer",
    ("sgd", "adam", "rmsprop", "adamw"),
    about="update rule; sgd has momentum, adamw decoupled weight decay",
    default="adam",
)

LEARNING_RATES = MappingProxyType(
    {
        "sgd": FloatDistribution(3e-3, 0.5, log=True),
        "adam": FloatDistribution(3e-4, 3e-2, log=True),
        "rmsprop": FloatDistribution(3e-4, 3e-2, log=True),
        "adamw": FloatDistribution(3e-4, 3e-2, log=True),
    }
)
"""Log-uniform ranges that include the best rates for 3 to 7 layers with a margin; SGD needs larger rates."""

LEARNING_RATE = Space(
    name="learning_rate",
    about="step size of the optimizer",
    rule="a number above 0, at most 100",
    contains=lambda value: is_real(value, 0, 100, above=True),
    default=1e-3,
    levels=(1e-3, 1e-2),
    search=LEARNING_RATES,
    number=float,
)

MOMENTUM = Space(
    name="momentum",
    about="share of SGD's last step that is kept",
    rule="a number from 0 up to, but not including, 1",
    contains=lambda value: is_real(value, 0, 1, below=True),
    default=0.9,
    levels=(0.0, 0.9),
    search=FloatDistribution(0.0, 0.99),
    number=float,
)


def _is_pair_of_betas(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(is_real(b, 0, 1, below=True) for b in value)
    )


BETAS = Space(
    name="betas",
    about="decay rates of the two running means of Adam and AdamW",
    rule="a list of two numbers, each from 0 up to, but not including, 1",
    contains=_is_pair_of_betas,
    default=(0.9, 0.999),
    number=float,
)

ALPHA = Space(
    name="alpha",
    about="decay rate of RMSprop's running mean of squares",
    rule="a number from 0 up to, but not including, 1",
    contains=lambda value: is_real(value, 0, 1, below=True),
    default=0.99,
    search=FloatDistribution(0.9, 0.999),
    number=float,
)

EPS = Space(
    name="eps",
    about="constant that Adam, AdamW and RMSprop add to the denominator",
    rule="a number above 0, at most 1",
    contains=lambda value: is_real(value, 0, 1, above=True),
    default=1e-8,
    search=FloatDistribution(1e-10, 1e-3, log=True),
    number=float,
)

BATCH_SIZE = Space(
    name="batch_size",
    about="examples in a step",
    # From 2, because batch normalisation needs a variance, which one example does not have.
    rule="a whole number from 2 to 65536",
    contains=lambda value: is_whole(value, 2, 65536),
    default=64,
    levels=(32, 64, 128),
    search=CategoricalDistribution((32, 64, 128)),
    number=int,
)
