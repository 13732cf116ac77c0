"""Which optimizer classifies best once each has its own learning rate?"""

from search_spaces.optimizers import LEARNING_RATES
from studies import Confirm, Search, SmallestEffect, Study

STUDY = Study(
    question=(
        "Do SGD with momentum, Adam, RMSprop and AdamW differ once each has its own learning rate, and does that "
        "depend on depth or batch normalisation?"
    ),
    factors={
        "optimizer": ("sgd", "adam", "rmsprop", "adamw"),
        "depth": (3, 7),
        "batch_norm": (False, True),
    },
    # Each optimizer has a range of its own, two decades wide. How wide a search is can rank optimizers by itself, for
    # what one loses in a wide range another gains in a narrow one: the report says so and prints the ranges. Try
    # others with --set, for example nuisances.learning_rate.sgd.low=0.0003.
    nuisances={"learning_rate": LEARNING_RATES},
    # Everything else of an optimizer is its usual default; AdamW alone decays its weights.
    fixed={
        "width": 64,
        "batch_size": 64,
        "activation": "relu",
        "init": "he_normal",
        "momentum": 0.9,
        "betas": (0.9, 0.999),
        "alpha": 0.99,
        "eps": 1e-8,
        "weight_decay": 0.0,
        "decoupled_weight_decay": 0.01,
        "dropout": 0.1,
        "clip_norm": None,
    },
    replicates=10,
    # Nine rates a cell, more than where the optimizer is one factor of many: here the rates decide.
    search=Search(trials_per_cell=9, rungs=(6, 18), reduction_factor=3, sampler="qmc"),
    confirm=Confirm(epochs=18),
    smallest_effect=SmallestEffect(log_loss=0.02, error=0.005),
    profiles={
        # At one depth in a minute; three blocks give a first impression, too few for claims.
        "smoke": {
            "factors.depth": (3,),
            "replicates": 3,
            "search.trials_per_cell": 4,
        },
        "cluster": {
            "factors.depth": (3, 5, 7),
            "replicates": 20,
            "search.trials_per_cell": 27,
            "search.rungs": (3, 9, 27, 81),
            "confirm.epochs": 81,
        },
    },
)
