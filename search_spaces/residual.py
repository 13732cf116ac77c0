"""Residual connections between hidden layers."""

from search_spaces.rules import one_of

RESIDUAL = one_of(
    "residual",
    ("none", "plain", "scaled", "zero"),
    about=(
        "skip over each hidden layer but the first, where widths agree: none, plain, with the branch scaled by "
        "1/sqrt(layers), or by a learnt factor that starts at zero"
    ),
    default="none",
)
