"""What helps a convolutional network on images: augmentation, batch normalisation, dropout, the schedule?"""

from studies import Confirm, Search, SmallestEffect, Study

STUDY = Study(
    question=(
        "Do augmentation, batch normalisation, dropout and the schedule of learning rates matter for a convolutional "
        "network?"
    ),
    # Digits come with the package, so that this always runs, and show the mechanics only: so the report says. Pictures
    # worth a convolution are those of --set dataset=fashion_mnist or cifar10, with which it takes hours on two cores.
    dataset="digits",
    # Three blocks of two 3x3 convolutions, then two dense layers: depth is at its default.
    model="cnn",
    factors={
        "augmentation": ("none", "shift+rotation+zoom"),
        "batch_norm": (False, True),
        # Of the dense layers; convolutions have half of it.
        "dropout": (0.0, 0.5),
        # plateau waits for more than five epochs without improvement: that takes longer training, as in `cluster`.
        "schedule": ("constant", "cosine"),
    },
    # Tuned in every cell: batch normalisation and a falling rate each want another one.
    nuisances={"learning_rate": {"low": 5e-4, "high": 2e-2, "log": True}},
    fixed={
        # Channels of the first block, doubled from block to block: half of the usual 32, given up for ten minutes on
        # two cores, and the dense layers have 256 and 128 units.
        "width": 16,
        "batch_size": 64,
        "activation": "relu",
        "init": "he_normal",
        "optimizer": "adam",
        "weight_decay": 0.0,
        "clip_norm": None,
    },
    replicates=10,
    search=Search(trials_per_cell=3, rungs=(5, 15), reduction_factor=3, sampler="qmc"),
    confirm=Confirm(epochs=15),
    smallest_effect=SmallestEffect(log_loss=0.02, error=0.005),
    profiles={
        # Without the dropout, on half of the digits; three blocks give a first impression, too few for claims.
        "smoke": {
            "factors.dropout": (0.0,),
            "fixed.train_size": 0.5,
            "replicates": 3,
            "search.rungs": (2, 6),
            "confirm.epochs": 6,
        },
        # Channels 32, 64 and 128, dense layers of 512 and 256 units, and images of 28 x 28 pixels.
        "cluster": {
            "dataset": "fashion_mnist",
            "factors.augmentation": ("none", "flip", "shift+rotation+zoom+flip"),
            "factors.schedule": ("constant", "exponential", "plateau", "cosine"),
            "fixed.width": 32,
            "fixed.batch_size": 128,
            "replicates": 20,
            "search.trials_per_cell": 9,
            "search.rungs": (3, 9, 27),
            "confirm.epochs": 27,
        },
    },
)
