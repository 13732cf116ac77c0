"""Which first weights make gradients vanish or explode with depth, and what cures it?"""

from search_spaces.optimizers import LEARNING_RATES
from studies.study import Confirm, ErrorShares, Search, Study

STUDY = Study(
    question=(
        "How do activation, gain of the first weights and depth make gradients vanish or explode, and do batch "
        "normalisation and residual connections cure it?"
    ),
    # The gain multiplies weights that fit the activation: He's for ReLU, 1/sqrt(n) for tanh and sigmoid. A gain of 1
    # keeps a ReLU's signal, one of 0.5 halves it in each layer, one of 2 doubles it: 108 cells in all.
    factors={
        "activation": ("relu", "tanh", "sigmoid"),
        "init_gain": (0.5, 1.0, 2.0),
        "depth": (3, 7, 20),
        "batch_norm": (False, True),
        "residual": ("none", "scaled"),
    },
    # Tuned in every cell: a network that still does not learn is not the victim of a rate that suits another one.
    nuisances={"learning_rate": LEARNING_RATES["sgd"]},
    # SGD, because Adam and RMSprop cancel a constant scale of the gradient and hide much of what is asked here.
    fixed={
        "init": "fitting",
        "width": 64,
        "batch_size": 64,
        "optimizer": "sgd",
        "momentum": 0.9,
        "dropout": 0.0,
        "clip_norm": None,
    },
    replicates=10,
    search=Search(trials_per_cell=3, rungs=(1, 5), reduction_factor=5, sampler="qmc"),
    # Gradients go wrong in the first steps: five epochs tell what learns from what does not, not which is best.
    confirm=Confirm(epochs=5),
    # What is asked is about gradients: their growth gets the share that losses have elsewhere, and they its share.
    error_shares=ErrorShares(growth=0.025, loss_at_best=0.0025),
    profiles={
        # The two ends of each story in a minute; three blocks point, and claim nothing.
        "smoke": {
            "factors.activation": ("relu", "tanh"),
            "factors.init_gain": (0.5, 2.0),
            "factors.depth": (3, 20),
            "replicates": 3,
            "search.trials_per_cell": 2,
        },
        "cluster": {
            "fixed.width": 192,
            "replicates": 20,
            "search.trials_per_cell": 9,
            "search.rungs": (2, 6, 18, 54),
            "search.reduction_factor": 3,
            "confirm.epochs": 54,
        },
    },
)
