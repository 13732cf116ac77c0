"""Regularization and limits on gradients: dropout, batch norm, weight decay, clipping, label smoothing."""

from optuna.distributions import CategoricalDistribution, FloatDistribution

from search_spaces.rules import is_real
from search_spaces.space import Space

DROPOUT = Space(
    name="dropout",
    about="share of a hidden layer's units dropped in training; convolutions have half of it",
    rule="a number from 0 up to, but not including, 1",
    contains=lambda value: is_real(value, 0, 1, below=True),
    default=0.0,
    levels=(0.1, 0.3, 0.5),
    search=FloatDistribution(0.0, 0.5),
    number=float,
)

BATCH_NORM = Space(
    name="batch_norm",
    about="batch normalisation before each activation",
    rule="true or false",
    contains=lambda value: isinstance(value, bool),
    default=False,
    levels=(False, True),
    search=CategoricalDistribution((False, True)),
    choices=(False, True),
)

WEIGHT_DECAY = Space(
    name="weight_decay",
    about="L2 penalty that the optimizer adds to the gradient; adamw has decoupled_weight_decay instead",
    rule="a number from 0 to 10",
    contains=lambda value: is_real(value, 0, 10),
    default=0.0,
    levels=(0.0, 1e-4, 1e-2),
    search=FloatDistribution(1e-6, 1e-2, log=True),
    number=float,
)

DECOUPLED_WEIGHT_DECAY = Space(
    name="decoupled_weight_decay",
    about="share of its weights, times the learning rate, that AdamW subtracts at each step; others have none",
    rule="a number from 0 to 10",
    contains=lambda value: is_real(value, 0, 10),
    default=0.01,
    levels=(0.0, 0.01, 0.1),
    search=FloatDistribution(1e-4, 1.0, log=True),
    number=float,
)

CLIP_NORM = Space(
    name="clip_norm",
    about="largest norm of a replicate's gradient; null means no clipping",
    rule="null or a number above 0, at most 1000000",
    contains=lambda value: value is None or is_real(value, 0, 1e6, above=True),
    default=None,
    levels=(None, 1.0),
    search=FloatDistribution(0.1, 10.0, log=True),
    number=float,
)

LABEL_SMOOTHING = Space(
    name="label_smoothing",
    about="share of each target spread evenly over the classes",
    rule="a number from 0 up to, but not including, 1",
    contains=lambda value: is_real(value, 0, 1, below=True),
    default=0.0,
    levels=(0.0, 0.1),
    search=FloatDistribution(0.0, 0.2),
    number=float,
)
