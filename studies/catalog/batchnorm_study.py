"""At which learning rates and batch sizes does batch normalisation help?"""

from studies import Confirm, Search, SmallestEffect, Study

STUDY = Study(
    question=(
        "Does batch normalisation help a network of five hidden layers, and does that depend on the learning rate and "
        "the batch size?"
    ),
    # The rate is compared, not tuned: which rates a network bears is what batch normalisation is said to change.
    factors={
        "batch_norm": (False, True),
        "learning_rate": (0.003, 0.03, 0.3),
        "batch_size": (16, 64, 256),
    },
    # SGD, because Adam and RMSprop divide by the gradient's size and bear most rates without batch normalisation too.
    fixed={
        "depth": 5,
        "width": 64,
        "activation": "relu",
        "init": "he_normal",
        "optimizer": "sgd",
        "momentum": 0.9,
        "weight_decay": 0.0,
        "dropout": 0.0,
        "clip_norm": None,
    },
    replicates=10,
    # With nothing to tune a cell has one trial, which says which cell is best; ASHA has none to stop.
    search=Search(trials_per_cell=1, rungs=(18,)),
    confirm=Confirm(epochs=18),
    smallest_effect=SmallestEffect(log_loss=0.02, error=0.005),
    profiles={
        # The ends of each range in a minute; three blocks give a first impression, too few for claims.
        "smoke": {
            "factors.learning_rate": (0.003, 0.3),
            "factors.batch_size": (16, 256),
            "replicates": 3,
        },
        "cluster": {
            "factors.learning_rate": (0.003, 0.01, 0.03, 0.1, 0.3),
            "factors.batch_size": (8, 16, 32, 64, 128, 256),
            "replicates": 20,
            "search.rungs": (81,),
            "confirm.epochs": 81,
        },
    },
)
