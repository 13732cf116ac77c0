"""Texts as counts of their words and pairs of words, and the vocabulary that a training part has of them."""

import re
from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORD = re.compile(r"\b\w\w+\b")
"""A word, in lower case, as scikit-learn's vectorizers find it."""

MIN_DOCUMENTS = 5
"""Fewer texts of a training part say nothing about a word. Texts outside that part could add none either, so what is
left out for all blocks at once is what each block would leave out."""

MAX_COUNT = 255
"""A count is kept in a byte; a text that has a term more often counts as having it so often."""


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What a training part has: columns of the counts in ascending order, and the weight (idf) of each."""

    columns: NDArray[np.int64]
    weights: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TextCounts:
    """How often each text has each term, a word or a pair of neighbouring words; in rows of what is not zero.

    Text i has the terms `columns[starts[i]:starts[i + 1]]`, as often as `counts` says in the same places. `terms` are
    in alphabetical order. A network sees those `num_features` terms that tell the classes apart best in its own
    training part.
    """

    starts: NDArray[np.int64]
    columns: NDArray[np.int32]
    counts: NDArray[np.uint8]
    terms: tuple[str, ...]
    num_features: int

    @classmethod
    def of(cls, texts: Sequence[str], *, num_features: int) -> "TextCounts":
        """Count the terms of `texts`; those that fewer than MIN_DOCUMENTS of them have are left out."""
        ids: defaultdict[str, int] = defaultdict()
        ids.default_factory = ids.__len__
        words = array("i")
        lengths = np.zeros(len(texts), np.int64)
        for row, text in enumerate(texts):
            found = [ids[word] for word in WORD.findall(text.lower())]
            words.extend(found)
            lengths[row] = len(found)
        return _counted(np.array(words, np.int64), lengths, list(ids), num_features)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def about(self) -> str:
        """What a network sees of a text, in words."""
        return (
            f"{self.num_features:,} features: the words and pairs of words that tell the classes apart best in a "
            "block's training part (chi-square), weighted by TF-IDF"
        )

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """Everything that tells these counts from others."""
        terms = np.frombuffer("\n".join(self.terms).encode(), np.uint8)
        return self.starts, self.columns, self.counts, terms, np.array(self.num_features)

    def take(self, rows: NDArray[np.int64]) -> "TextCounts":
        """Return the counts of these texts alone, in their order."""
        entries, lengths = self.entries(rows), np.diff(self.starts)[rows]
        return replace(
            self,
            starts=np.concatenate([[0], np.cumsum(lengths)]).astype(self.starts.dtype),
            columns=self.columns[entries],
            counts=self.counts[entries],
        )

    def entries(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where the entries of these texts stand in `columns` and `counts`, text by text."""
        lengths = np.diff(self.starts)[rows]
        offsets = np.repeat(self.starts[rows] - np.cumsum(lengths) + lengths, lengths)
        entries: NDArray[np.int64] = np.arange(len(offsets)) + offsets
        return entries

    def fit(self, rows: NDArray[np.int64], targets: NDArray[np.int64]) -> Vocabulary:
        """Return the `num_features` terms that tell the classes of these texts apart best; no other text is read.

        Best is the largest chi-square of a class's number of texts with the term; among equals the alphabetically
        first. In small parts there may be fewer terms. The weights are ln((1 + texts) / (1 + texts with the term)) +
        1, scikit-learn's smooth idf. `targets` are the classes of `rows`.
        """
        entries = self.entries(rows)
        columns, of_class = self.columns[entries], np.repeat(targets, np.diff(self.starts)[rows])
        num_texts = np.bincount(columns, minlength=len(self.terms))
        apart = np.zeros(len(self.terms))
        for target in np.unique(targets):
            observed = np.bincount(columns[of_class == target], minlength=len(self.terms))
            expected = num_texts * np.mean(targets == target)
            apart += (observed - expected) ** 2 / np.maximum(expected, 1e-12)
        apart[num_texts < MIN_DOCUMENTS] = -1
        order = np.argsort(-apart, kind="stable")[: self.num_features]
        chosen = np.sort(order[apart[order] >= 0])
        weights = np.log((1 + len(rows)) / (1 + num_texts[chosen])) + 1
        return Vocabulary(columns=chosen, weights=weights)


def _counted(
    words: NDArray[np.int64], lengths: NDArray[np.int64], names: Sequence[str], num_features: int
) -> TextCounts:
    """Return the counts, given the words of all texts one after the other, as numbers of their `names`."""
    num_texts, base = len(lengths), len(names) + 1
    texts = np.repeat(np.arange(num_texts), lengths)
    is_pair = texts[1:] == texts[:-1]
    # A word w is the number w * base, the pair (w, v) is w * base + v + 1.
    pairs = (words[:-1] * base + words[1:] + 1)[is_pair]
    keys = np.concatenate([words * base, pairs])
    entries, counts = np.unique(
        keys * num_texts + np.concatenate([texts, texts[1:][is_pair]]), return_counts=True
    )
    keys, texts = np.divmod(entries, num_texts)
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    frequency = np.diff(starts, append=len(keys))
    term, is_kept = (
        np.repeat(np.arange(len(starts)), frequency),
        np.repeat(frequency, frequency) >= MIN_DOCUMENTS,
    )
    kept = np.flatnonzero(frequency >= MIN_DOCUMENTS)
    spelled = [_spelled(int(key), names) for key in keys[starts[kept]]]
    alphabetical = np.array(sorted(range(len(kept)), key=spelled.__getitem__), np.int64)
    column = np.zeros(len(starts), np.int64)
    column[kept[alphabetical]] = np.arange(len(kept))
    # Sorting plain numbers is several times faster than sorting by two keys.
    packed = texts[is_kept] * len(kept) + column[term[is_kept]]
    packed = np.sort(packed * (MAX_COUNT + 1) + np.minimum(counts[is_kept], MAX_COUNT))
    packed, counts = np.divmod(packed, MAX_COUNT + 1)
    texts, columns = np.divmod(packed, max(1, len(kept)))
    return TextCounts(
        starts=np.searchsorted(texts, np.arange(num_texts + 1)),
        columns=columns.astype(np.int32),
        counts=counts.astype(np.uint8),
        terms=tuple(spelled[index] for index in alphabetical),
        num_features=num_features,
    )


def _spelled(key: int, names: Sequence[str]) -> str:
    first, second = divmod(key, len(names) + 1)
    return f"{names[first]} {names[second - 1]}" if second else names[first]
