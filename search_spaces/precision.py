"""The precision in which a network computes."""

from search_spaces.rules import one_of

PRECISION = one_of(
    "precision",
    ("float32", "bfloat16"),
    about=(
        "numbers of the matrix products; with bfloat16 (mixed precision) weights, gradients, the optimizer and all "
        "that is measured stay in float32"
    ),
    default="float32",
)
