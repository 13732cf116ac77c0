"""Can a deep network beat a linear model on film reviews, and what helps it?"""

from studies.study import Confirm, Search, SmallestEffect, Study

STUDY = Study(
    question=(
        "Can a network of four hidden layers beat a linear model on film reviews, and do batch normalisation, dropout "
        "and the choice of Adam or RMSprop matter?"
    ),
    # 25,000 reviews as TF-IDF of the 2,000 words and pairs of words that each block's training part sets apart. The
    # linear model of the same features is fitted in every block, and is the line to beat.
    dataset="reviews",
    factors={
        "batch_norm": (False, True),
        "dropout": (0.1, 0.3, 0.5),
        "optimizer": ("adam", "rmsprop"),
    },
    # Lower than elsewhere: with so many features a network learns its reviews by heart within a few epochs.
    nuisances={"learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}},
    fixed={
        "depth": 4,
        "width": 64,
        "batch_size": 128,
        "activation": "relu",
        "init": "he_normal",
        "weight_decay": 0.0,
        # Rare words make rare large gradients.
        "clip_norm": 1.0,
        # Half of each training part, 7,500 reviews, so that it ends within ten minutes on two cores; `cluster` takes
        # all of it. The linear model has the same half.
        "train_size": 0.5,
    },
    replicates=10,
    # Six epochs: after that almost every network has learnt its reviews by heart.
    search=Search(trials_per_cell=6, rungs=(2, 6), reduction_factor=3, sampler="qmc"),
    confirm=Confirm(epochs=6),
    smallest_effect=SmallestEffect(log_loss=0.01, error=0.005),
    profiles={
        # The ends of dropout with Adam, on a tenth of the reviews; three blocks point, and claim nothing.
        "smoke": {
            "factors.dropout": (0.1, 0.5),
            "factors.optimizer": ("adam",),
            "fixed.train_size": 0.1,
            "replicates": 3,
            "search.trials_per_cell": 3,
        },
        # All reviews, and ten times the features.
        "cluster": {
            "dataset": "reviews_20000",
            "fixed.train_size": None,
            "replicates": 20,
            "search.trials_per_cell": 27,
            "search.rungs": (1, 3, 9, 27),
            "confirm.epochs": 27,
        },
    },
)
