"""Do deeper networks classify better, and does the answer depend on how they are regularised and optimised?"""

from search_spaces.optimizers import LEARNING_RATES
from studies import Confirm, Search, SmallestEffect, Study

STUDY = Study(
    question=(
        "Do more hidden layers help, and does that depend on dropout, batch normalisation or the optimizer?"
    ),
    # Compared: every combination of these levels is a cell, 54 in all.
    factors={
        "depth": (3, 5, 7),
        "dropout": (0.1, 0.3, 0.5),
        "batch_norm": (False, True),
        "optimizer": ("sgd", "adam", "rmsprop"),
    },
    # Tuned in every cell, so that no level loses by a learning rate that does not suit it.
    nuisances={"learning_rate": LEARNING_RATES},
    # Held, and printed in the report: another study may fix them otherwise.
    fixed={
        "width": 64,
        "batch_size": 64,
        "activation": "relu",
        "init": "he_normal",
        "momentum": 0.9,
        "weight_decay": 0.0,
        "clip_norm": None,
    },
    # Ten is the fewest with which a claim can pass the sign-flip test after Holm's correction.
    replicates=10,
    # ASHA compares the six rates of one cell at epoch 6; the rate is chosen at epoch 18, where the confirm phase ends.
    search=Search(trials_per_cell=6, rungs=(6, 18), reduction_factor=3, sampler="qmc"),
    confirm=Confirm(epochs=18),
    smallest_effect=SmallestEffect(log_loss=0.02, error=0.005),
    profiles={
        # The whole way in a minute; three blocks give a first impression, too few for claims.
        "smoke": {
            "factors.depth": (3, 7),
            "factors.dropout": (0.1, 0.5),
            "factors.optimizer": ("adam",),
            "replicates": 3,
            "search.trials_per_cell": 3,
        },
        "cluster": {
            "replicates": 20,
            "search.trials_per_cell": 27,
            "search.rungs": (3, 9, 27, 81),
            "confirm.epochs": 81,
        },
    },
)
