"""Can a deep network beat a linear model on film reviews, and what helps it?"""

from studies import Confirm, Search, SmallestEffect, Study

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
    # The same range for both: without batch normalisation about 0.0005 is best, with it about 0.006.
    nuisances={"learning_rate": {"low": 2e-4, "high": 2e-2, "log": True}},
    fixed={
        "depth": 4,
        "width": 64,
        "batch_size": 128,
        "activation": "relu",
        "init": "he_normal",
        "weight_decay": 0.0,
        # Rare words make rare large gradients.
        "clip_norm": 1.0,
        # A network memorises its reviews within a few epochs: each stops early, with its best weights.
        "patience": 2,
        "monitor": "val_loss",
        # 6,000 of each training part's 15,000 reviews, so that it ends within ten minutes on two cores; `cluster` takes
        # all of them. The linear model has the same share.
        "train_size": 0.4,
    },
    replicates=10,
    search=Search(trials_per_cell=6, rungs=(3, 9), reduction_factor=3, sampler="qmc"),
    confirm=Confirm(epochs=9),
    smallest_effect=SmallestEffect(log_loss=0.01, error=0.005),
    profiles={
        # The ends of dropout with Adam, on a tenth of the reviews; three blocks are too few for claims.
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
            "fixed.patience": 3,
            "replicates": 20,
            "search.trials_per_cell": 27,
            "search.rungs": (1, 3, 9, 27),
            "confirm.epochs": 27,
        },
    },
)
