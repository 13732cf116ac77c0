"""Every hyperparameter's space: its default, levels and search range obey its own rule."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from search_spaces import Space, spaces

SPACES = list(spaces().values())
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.builds(object),
    lambda part: st.lists(part) | st.dictionaries(st.text(), part) | st.tuples(part, part),
)


def _distributions(space: Space) -> list[BaseDistribution]:
    if isinstance(space.search, Mapping):
        return list(space.search.values())
    return [space.search] if space.search else []


def test_discovery_finds_the_hyperparameters_of_every_file() -> None:
    assert set(spaces()) == {
        *("depth", "width", "dropout", "batch_norm", "weight_decay", "clip_norm", "label_smoothing"),
        *("optimizer", "learning_rate", "momentum", "betas", "alpha", "eps", "batch_size"),
        *("activation", "init", "init_gain", "residual", "train_size", "precision"),
        *("decoupled_weight_decay", "schedule", "min_lr", "monitor", "patience", "augmentation"),
    }
    assert all(name == space.name for name, space in spaces().items())


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
class TestEverySpace:
    def test_its_default_and_levels_are_allowed_and_in_canonical_form(self, space: Space) -> None:
        for value in (space.default, *space.levels, *space.choices):
            assert space.contains(value)
            assert repr(space.canonical(value)) == repr(value)

    def test_its_search_range_lies_within_its_rule(self, space: Space) -> None:
        for distribution in _distributions(space):
            if isinstance(distribution, CategoricalDistribution):
                assert all(space.contains(choice) for choice in distribution.choices)
            else:
                assert isinstance(distribution, IntDistribution if space.number is int else FloatDistribution)
                assert space.contains(distribution.low)
                assert space.contains(distribution.high)


@given(value=ANYTHING)
def test_any_object_is_answered_without_raising(value: object) -> None:
    assert all(space.contains(value) in (True, False) for space in SPACES)


@given(value=st.floats() | st.integers() | st.booleans())
def test_canonical_form_is_allowed_equal_and_stable(value: float) -> None:
    for space in SPACES:
        if space.contains(value):
            canonical = space.canonical(value)
            assert canonical == value
            assert space.contains(canonical)
            assert repr(space.canonical(canonical)) == repr(canonical)


@pytest.mark.parametrize(
    ("name", "allowed", "refused"),
    [
        ("depth", [1, 200], [0, 201, 3.0, True, "3", None, [3]]),
        ("width", [1, [128, 64], (128,)], [0, [], [64, 0], [[64]], 64.5, "64"]),
        ("dropout", [0, 0.999], [1, -0.1, float("nan"), float("inf"), False, "0.1"]),
        ("batch_norm", [True, False], [0, 1, "true", None]),
        ("optimizer", ["sgd", "adam", "rmsprop", "adamw"], ["Adam", "", None, ["adam"]]),
        ("learning_rate", [1e-9, 100], [0, -1e-3, 101, 10**400, None]),
        ("clip_norm", [None, 0.5], [0, -1, float("inf"), "none"]),
        ("betas", [(0.9, 0.999), [0, 0]], [(0.9,), (0.9, 1), 0.9, "ab"]),
        ("batch_size", [2, 64], [1, 64.0]),
        ("train_size", [None, 1, 0.01], [0, 1.1]),
        ("init", ["he_normal", "default", "fitting"], ["he", None]),
        ("residual", ["none", "zero"], [None, False, "skip"]),
        ("schedule", ["constant", "exponential", "plateau", "cosine"], ["Cosine", None, "step"]),
        ("min_lr", [0, 1e-6, 100], [-1e-6, 101, None, "0"]),
        ("patience", [None, 1, 5], [0, -1, 2.5, True, "5"]),
        ("monitor", ["val_loss", "val_accuracy"], ["train_loss", None]),
        ("precision", ["float32", "bfloat16"], [None, 16, "float16", "bf16"]),
    ],
)
def test_the_ends_of_each_rule(name: str, allowed: list[object], refused: list[object]) -> None:
    space = spaces()[name]
    assert [value for value in allowed if not space.contains(value)] == []
    assert [value for value in refused if space.contains(value)] == []


def test_numbers_have_one_form_and_lists_become_tuples() -> None:
    assert repr(spaces()["dropout"].canonical(-0.0)) == "0.0"
    assert repr(spaces()["dropout"].canonical(0)) == "0.0"
    assert spaces()["betas"].canonical([0, 0.9]) == (0.0, 0.9)
    assert spaces()["batch_norm"].canonical(True) is True
    assert spaces()["clip_norm"].canonical(None) is None


def test_the_learning_rate_has_a_range_for_every_optimizer() -> None:
    search = spaces()["learning_rate"].search
    assert isinstance(search, Mapping)
    assert set(search) == set(spaces()["optimizer"].choices)
    assert search["sgd"] == FloatDistribution(3e-3, 0.5, log=True)
    for name in ("adam", "rmsprop", "adamw"):
        assert search[name] == FloatDistribution(3e-4, 3e-2, log=True)
