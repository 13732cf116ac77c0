"""The activation of a network and its initial weights."""

from optuna.distributions import FloatDistribution

from search_spaces.rules import is_real, one_of
from search_spaces.space import Space

ACTIVATION = one_of(
    "activation", ("relu", "tanh", "sigmoid"), about="non-linearity of the hidden layers", default="relu"
)

INIT = one_of(
    "init",
    ("he_normal", "lecun_normal", "xavier_normal", "default", "fitting"),
    about=(
        "distribution of the first weights; fitting is he_normal for relu and lecun_normal for tanh and sigmoid, "
        "default is that of torch's nn.Linear"
    ),
    default="he_normal",
)

INIT_GAIN = Space(
    name="init_gain",
    about="factor on the hidden layers' first weights",
    rule="a number above 0, at most 100",
    contains=lambda value: is_real(value, 0, 100, above=True),
    default=1.0,
    levels=(0.5, 1.0, 2.0),
    search=FloatDistribution(0.5, 2.0, log=True),
    number=float,
)
