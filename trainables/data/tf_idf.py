"""TF-IDF: 1 + ln(count) times the term's idf, each text brought to length 1; scikit-learn's sublinear form."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from trainables.data.text_counts import TextCounts, Vocabulary

MIN_LENGTH = 1e-6
"""A shorter text is one without a term of the vocabulary, but for rounding."""


def frequencies(counts: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return what counts of a term are worth before its idf."""
    worth: NDArray[np.float64] = 1 + np.log(counts.astype(np.float64))
    return worth


def scales(starts: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one over the length of each text's vector, 0 where it has no term of the vocabulary.

    `values` are those of one text after the other; text i has `values[starts[i]:starts[i + 1]]`.
    """
    squares = np.concatenate([[0.0], np.cumsum(values**2)])
    lengths = np.sqrt(np.maximum(np.diff(squares[starts]), 0.0))
    return np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > MIN_LENGTH)


def sparse_features(texts: TextCounts, vocabulary: Vocabulary, rows: NDArray[np.int64]) -> csr_matrix:
    """Return the features of some texts, shape (rows, texts.num_features)."""
    feature = np.full(len(texts.terms), -1)
    feature[vocabulary.columns] = np.arange(len(vocabulary.columns))
    entries = texts.entries(rows)
    columns = feature[texts.columns[entries]]
    is_known = columns >= 0
    text = np.repeat(np.arange(len(rows)), np.diff(texts.starts)[rows])[is_known]
    entries, columns = entries[is_known], columns[is_known]
    values = frequencies(texts.counts[entries]) * vocabulary.weights[columns]
    starts = np.searchsorted(text, np.arange(len(rows) + 1))
    values *= scales(starts, values)[text]
    return csr_matrix((values, columns, starts), shape=(len(rows), texts.num_features))
