"""Which configuration is the best that a plain sweep finds, and is it better than a sensible default?"""

from search_spaces.optimizers import LEARNING_RATES
from studies import Confirm, Search, Study

STUDY = Study(
    question="Which configuration is the best that a sweep of this budget finds, and does it beat a usual default?",
    # Searched among, not compared: an adaptive sampler visits levels unevenly, so the report speaks of the best found.
    factors={
        "depth": (3, 5, 7),
        "dropout": (0.1, 0.3, 0.5),
        "batch_norm": (False, True),
        "optimizer": ("sgd", "adam", "rmsprop"),
    },
    nuisances={"learning_rate": LEARNING_RATES},
    fixed={"width": 64, "batch_size": 64},
    replicates=10,
    # One search over the whole space, and one ASHA over all of its trials.
    search=Search(trials=50, trials_per_cell=None, rungs=(6, 18), reduction_factor=3, sampler="tpe"),
    # The winner of a search is partly lucky: the best three are trained again with fresh seeds, beside the default.
    confirm=Confirm(
        epochs=18,
        best=3,
        default={
            "depth": 3,
            "dropout": 0.1,
            "batch_norm": False,
            "optimizer": "adam",
            "learning_rate": 1e-3,
        },
    ),
    profiles={
        "smoke": {"replicates": 3, "search.trials": 12},
        "cluster": {
            "replicates": 20,
            "search.trials": 500,
            "search.rungs": (3, 9, 27, 81),
            "confirm.epochs": 81,
        },
    },
)
