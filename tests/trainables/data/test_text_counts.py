"""Counts of words and pairs, and vocabularies: the same as scikit-learn's."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import chi2

from tests.trainables.corpus import texts
from trainables.data.text_counts import MIN_DOCUMENTS, TextCounts

ODD = ["", "a I", "Été été ÉTÉ", "don't; don't", "x1 x_2\tx1\n\nx_2", "good " * 300, "été don", "good été"]


def dense(counts: TextCounts) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    shape = (len(counts), len(counts.terms))
    matrix = csr_matrix((counts.counts.astype(np.float64), counts.columns, counts.starts), shape)
    return np.asarray(matrix.toarray())


@pytest.mark.parametrize("written", [texts()[0], ODD * 5], ids=["corpus", "odd"])
def test_terms_and_counts_are_those_of_scikit_learn(written: list[str]) -> None:
    vectorizer = CountVectorizer(ngram_range=(1, 2), min_df=MIN_DOCUMENTS)
    expected = vectorizer.fit_transform(written).toarray()
    counts = TextCounts.of(written, num_features=10)
    assert counts.terms == tuple(vectorizer.get_feature_names_out())
    assert (dense(counts) == np.minimum(expected, 255)).all()


def test_a_vocabulary_is_what_chi_square_chooses_in_the_training_part() -> None:
    written, targets = texts()
    counts, classes = TextCounts.of(written, num_features=20), np.array(targets)
    rows = np.arange(0, len(written), 2) + np.arange(len(written) // 2) % 2
    has = dense(counts)[rows] > 0
    enough = has.sum(0) >= MIN_DOCUMENTS
    scores, _ = chi2(has[:, enough].astype(float), classes[rows])
    best = np.flatnonzero(enough)[np.argsort(-scores, kind="stable")[:20]]
    vocabulary = counts.fit(rows, classes[rows])
    assert vocabulary.columns.tolist() == sorted(best)
    assert vocabulary.weights == pytest.approx(
        np.log((1 + len(rows)) / (1 + has[:, vocabulary.columns].sum(0))) + 1
    )


def test_equally_good_terms_are_taken_in_alphabetical_order() -> None:
    written = ["one two three"] * 10 + ["four"] * 10
    counts = TextCounts.of(written, num_features=2)
    vocabulary = counts.fit(np.arange(20), np.repeat([0, 1], 10))
    assert [counts.terms[column] for column in vocabulary.columns] == ["four", "one"]


def test_a_small_training_part_may_have_fewer_terms_than_features() -> None:
    counts = TextCounts.of(["one two"] * 6 + ["three four"] * 6, num_features=50)
    vocabulary = counts.fit(np.arange(6), np.array([0, 0, 0, 1, 1, 1]))
    assert [counts.terms[column] for column in vocabulary.columns] == ["one", "one two", "two"]


def test_texts_without_a_word_have_no_entries() -> None:
    counts = TextCounts.of(["", "!?", "a"], num_features=3)
    assert (len(counts), counts.terms, len(counts.columns)) == (3, (), 0)
    assert counts.entries(np.arange(3)).tolist() == []
