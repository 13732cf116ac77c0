"""TF-IDF as a sparse matrix: what networks see of the same texts, and nothing of a text without a known word."""

import numpy as np
import pytest
import torch

from tests.trainables.corpus import corpus, texts
from trainables.data.splits import split_blocks
from trainables.data.stack_data import StackData
from trainables.data.text_features import sparse_features

WRITTEN, TARGETS = texts()
CORPUS = corpus([*WRITTEN, ""], [*TARGETS, 0])


def test_it_is_what_networks_see() -> None:
    splits = list(split_blocks(CORPUS, seed=0, blocks=(0, 1)).values())
    data = StackData.make(CORPUS, splits, torch.device("cpu"))
    rows, counts = np.arange(len(CORPUS.targets)), CORPUS.texts
    assert counts is not None
    seen = data.gather(torch.from_numpy(np.stack([rows, rows])))
    for network, split in zip(seen, splits, strict=True):
        vocabulary = counts.fit(split.train, CORPUS.targets[split.train])
        sparse = sparse_features(counts, vocabulary, rows)
        assert sparse.toarray() == pytest.approx(network.numpy(), abs=1e-6)
        lengths = np.linalg.norm(sparse.toarray(), axis=1)
        assert set(lengths.round(9)) == {0.0, 1.0}
        assert lengths[-1] == 0


def test_no_rows_are_a_matrix_without_rows() -> None:
    counts = CORPUS.texts
    assert counts is not None
    vocabulary = counts.fit(np.arange(len(TARGETS)), np.array(TARGETS))
    assert sparse_features(counts, vocabulary, np.arange(0)).shape == (0, counts.num_features)
