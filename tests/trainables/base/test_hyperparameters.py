"""The typed configuration has exactly the hyperparameters that search_spaces describes."""

import pickle
from dataclasses import asdict, fields, replace

import pytest

from search_spaces import spaces
from trainables.base.hyperparameters import Hyperparameters


def test_every_space_is_a_hyperparameter_and_the_other_way_round() -> None:
    assert {field.name for field in fields(Hyperparameters)} == {*spaces(), "own"}


def test_the_defaults_of_the_spaces_can_be_trained_with() -> None:
    made = Hyperparameters.from_dict({name: space.default for name, space in spaces().items()})
    assert all(space.contains(getattr(made, name)) for name, space in spaces().items())


def test_lists_become_tuples() -> None:
    made = Hyperparameters.from_dict({"depth": 2, "width": [32, 16], "betas": [0.8, 0.9]})
    assert (made.widths, made.betas) == ((32, 16), (0.8, 0.9))
    assert Hyperparameters(depth=3, width=8).widths == (8, 8, 8)


def test_those_of_the_users_own_are_attributes_too() -> None:
    made = Hyperparameters.from_dict(
        {"depth": 2, "num_heads": 4, "sizes": [1, 2]}, own=("num_heads", "sizes")
    )
    assert (made.num_heads, made.sizes, made.depth) == (4, (1, 2), 2)
    assert pickle.loads(pickle.dumps(made)) == made
    assert replace(made, depth=3).num_heads == 4
    assert Hyperparameters.from_dict(asdict(made)) == made
    with pytest.raises(
        AttributeError, match=r"no hyperparameter num_head \(did you mean num_heads\?\); one of your own"
    ):
        _ = made.num_head


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"unknown hyperparameter 'widht' .*width"):
        Hyperparameters.from_dict({"widht": 3})


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"depth": 0}, "depth"),
        ({"width": (8,)}, "width"),
        ({"dropout": 1.0}, "dropout"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 1, "batch_norm": True}, "batch_size"),
        ({"optimizer": "adamw", "weight_decay": 0.1}, "decoupled_weight_decay"),
        ({"schedule": "cosine", "learning_rate": 1e-3, "min_lr": 1e-2}, "min_lr: at most the learning rate"),
        ({"monitor": "train_loss"}, "val_loss, val_accuracy"),
        ({"patience": 0}, "patience: at least 1"),
    ],
)
def test_what_cannot_be_trained_is_refused(changes: dict[str, object], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        replace(Hyperparameters(), **changes)  # type: ignore[arg-type]
