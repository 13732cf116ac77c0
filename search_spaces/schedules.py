"""Learning-rate schedules, and the score that they and early stopping monitor."""

from optuna.distributions import FloatDistribution

from search_spaces.rules import is_real, one_of
from search_spaces.space import Space

SCHEDULE = one_of(
    "schedule",
    ("constant", "exponential", "plateau", "cosine"),
    about=(
        "how the learning rate changes: not at all; times 0.95 after each epoch; times 0.2 for a network whose monitor "
        "did not improve in more than 5 epochs, down to min_lr; or along half a cosine down to min_lr"
    ),
    default="constant",
)

MIN_LR = Space(
    name="min_lr",
    about="lowest learning rate of the schedules plateau and cosine",
    rule="a number from 0 to 100",
    contains=lambda value: is_real(value, 0, 100),
    default=0.0,
    levels=(0.0, 1e-4),
    search=FloatDistribution(1e-7, 1e-4, log=True),
    number=float,
)

MONITOR = one_of(
    "monitor",
    ("val_loss", "val_accuracy"),
    about="score that must improve for the schedule plateau and for early stopping",
    default="val_loss",
)
