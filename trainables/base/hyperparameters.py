"""The typed configuration of one trial, made from the dict that Ray Tune passes."""

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from trainables.base.augmentation_kinds import kinds_of

MONITORS = ("val_loss", "val_accuracy")
"""Scores that the plateau schedule and early stopping may monitor."""


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Everything that decides how one network is built and trained, except data and seeds.

    `width` is one number for every hidden layer or a tuple with one number for each. `residual` says how a hidden
    layer adds to its input: "none", "plain", "scaled" by 1/sqrt(depth), or "zero", by a learnt factor. `clip_norm`
    bounds the gradient's norm of each replicate (None: no clipping). `train_size` keeps a fraction of the training
    part. `precision` is that of the matrix products: "float32", or "bfloat16" for mixed precision.
    `momentum` is SGD's; `betas` and `eps` are Adam's and AdamW's, `alpha` and `eps` RMSprop's. `weight_decay` is a
    penalty in the gradient, which AdamW does not have: it subtracts `decoupled_weight_decay` from the weights instead.
    `schedule` changes the learning rate: "constant", "exponential", "plateau" or "cosine", the last two down to
    `min_lr`. "plateau" and early stopping monitor `monitor`, "val_loss" or "val_accuracy"; early stopping ends
    training after `patience` epochs without improvement (None: it is off).
    `augmentation` changes training images: "none", or kinds such as "shift+rotation".
    """

    depth: int = 3
    width: int | tuple[int, ...] = 64
    activation: str = "relu"
    dropout: float = 0.0
    batch_norm: bool = False
    init: str = "he_normal"
    init_gain: float = 1.0
    residual: str = "none"
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    batch_size: int = 64
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    decoupled_weight_decay: float = 0.01
    schedule: str = "constant"
    min_lr: float = 0.0
    monitor: str = "val_loss"
    patience: int | None = None
    clip_norm: float | None = None
    label_smoothing: float = 0.0
    train_size: float | None = None
    augmentation: str = "none"
    precision: str = "float32"

    own: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Hyperparameters of the user's own network, which are attributes of this object as well."""

    def __getattr__(self, name: str) -> Any:
        """Return a hyperparameter of the user's own; raise AttributeError that suggests a similar name."""
        own: Mapping[str, Any] = self.__dict__.get("own", {})
        if name in own:
            return own[name]
        if name.startswith("__"):
            raise AttributeError(name)
        known = [*(each.name for each in fields(self) if each.name != "own"), *own]
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise AttributeError(
            f"no hyperparameter {name}{hint}; one of your own is declared in STUDY: "
            f"hyperparameters={{{name!r}: its default}}"
        )

    def __post_init__(self) -> None:
        """Raise ValueError for values that cannot be trained with, even if a study's search space allows them."""
        if self.depth < 1:
            raise ValueError(f"depth: at least 1 hidden layer, got {self.depth}")
        if isinstance(self.width, tuple) and len(self.width) != self.depth:
            raise ValueError(f"width: one number for each of {self.depth} layers, got {len(self.width)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: at least 0 and below 1, got {self.dropout}")
        if self.batch_size < 1 or (self.batch_norm and self.batch_size < 2):
            raise ValueError(f"batch_size: at least 1, with batch norm at least 2, got {self.batch_size}")
        kinds_of(self.augmentation)
        if self.optimizer == "adamw" and self.weight_decay:
            raise ValueError(
                f"weight_decay: 0 with adamw, which has decoupled_weight_decay; got {self.weight_decay}"
            )

        if self.schedule in ("plateau", "cosine") and self.min_lr > self.learning_rate:
            raise ValueError(
                f"min_lr: at most the learning rate, {self.learning_rate}, with schedule {self.schedule}; "
                f"got {self.min_lr}"
            )
        if self.monitor not in MONITORS:
            raise ValueError(f"monitor: one of {', '.join(MONITORS)}, got {self.monitor!r}")

        if self.patience is not None and self.patience < 1:
            raise ValueError(f"patience: at least 1 epoch, or None, got {self.patience}")

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of units of each hidden layer, from the input on."""
        return self.width if isinstance(self.width, tuple) else (self.width,) * self.depth

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, own: Collection[str] = ()) -> Self:
        """Return hyperparameters from plain values; lists become tuples, an unknown name raises ValueError.

        Those named in `own`, or under "own" as in `dataclasses.asdict`, are the user's own.
        """
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        mine = {**values.pop("own", {}), **{name: values.pop(name) for name in own}}
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"unknown hyperparameter {unknown[0]!r} (choices: {', '.join(sorted(known))})")
        return cls(**values, own=mine)
