"""How much dropout helps when there is much or little to train on?"""

from search_spaces.optimizers import LEARNING_RATES
from studies import Confirm, Search, SmallestEffect, Study

STUDY = Study(
    question="Does dropout help, and does it help more when only a share of the training data is used?",
    # The share is of each block's training part; validation and test parts stay whole. Epochs are equal, so that a
    # tenth of the data is also a tenth of the steps.
    factors={
        "dropout": (0.0, 0.1, 0.3, 0.5),
        "train_size": (0.1, 0.3, 1.0),
    },
    # Tuned in every cell: noisier gradients and fewer steps each want a rate of their own.
    nuisances={"learning_rate": LEARNING_RATES["adam"]},
    fixed={
        "depth": 3,
        "width": 128,
        # Small, so that a tenth of the data still makes several steps an epoch.
        "batch_size": 32,
        "activation": "relu",
        "init": "he_normal",
        "optimizer": "adam",
        "weight_decay": 0.0,
        "batch_norm": False,
        "clip_norm": None,
    },
    replicates=10,
    # Three times the epochs of depth_study: dropout learns slowly, and with little data so does everything.
    search=Search(trials_per_cell=6, rungs=(18, 54), reduction_factor=3, sampler="qmc"),
    confirm=Confirm(epochs=54),
    smallest_effect=SmallestEffect(log_loss=0.02, error=0.005),
    profiles={
        # Three levels and two sizes in a minute; three blocks give a first impression, too few for claims.
        "smoke": {
            "factors.dropout": (0.0, 0.1, 0.5),
            "factors.train_size": (0.1, 1.0),
            "replicates": 3,
            "search.trials_per_cell": 3,
            "search.rungs": (6, 18),
            "confirm.epochs": 18,
        },
        "cluster": {
            "factors.train_size": (0.1, 0.2, 0.4, 0.7, 1.0),
            "replicates": 20,
            "search.trials_per_cell": 27,
            "search.rungs": (6, 18, 54, 162),
            "confirm.epochs": 162,
        },
    },
)
