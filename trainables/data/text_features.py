"""TF-IDF of texts for a stack: each replicate's own vocabulary, made dense for the rows of a batch alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables.data.text_counts import TextCounts, Vocabulary

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

NOT_A_FEATURE = 2**40
"""The feature of a term that a replicate's vocabulary lacks: beyond the end of any batch."""


@dataclass(frozen=True, kw_only=True)
class TextFeatures:
    """The terms of all texts that some replicate's vocabulary has, once for all replicates, in rows as in TextCounts.

    `frequencies` are what counts are worth. `features` and `weights` say for each replicate and term which feature it
    is, and its idf; shapes (replicates, terms). `scales` bring each text to length 1; shape (replicates, texts).
    """

    starts: Tensor
    columns: Tensor
    frequencies: Tensor
    features: Tensor
    weights: Tensor
    scales: Tensor
    num_features: int
    longest: int
    is_padded: bool
    vocabularies: tuple[Vocabulary, ...]
    terms: tuple[str, ...]

    @classmethod
    def fit(
        cls,
        texts: TextCounts,
        targets: NDArray[np.int64],
        training_parts: Sequence[NDArray[np.int64]],
        device: torch.device,
    ) -> "TextFeatures":
        """Fit each replicate's vocabulary and weights on its training part alone."""
        vocabularies = tuple(texts.fit(rows, targets[rows]) for rows in training_parts)
        kept = np.unique(np.concatenate([each.columns for each in vocabularies]))
        place = np.full(len(texts.terms), -1)
        place[kept] = np.arange(len(kept))
        is_kept = place[texts.columns] >= 0
        columns, ends = place[texts.columns[is_kept]], np.concatenate([[0], np.cumsum(is_kept)])
        starts, worth = ends[texts.starts], frequencies(texts.counts[is_kept])
        features = np.full((len(vocabularies), len(kept)), NOT_A_FEATURE)
        weights = np.zeros((len(vocabularies), len(kept)))
        for replicate, each in enumerate(vocabularies):
            features[replicate, place[each.columns]] = np.arange(len(each.columns))
            weights[replicate, place[each.columns]] = each.weights
        to_length_1 = np.stack([scales(starts, worth * own[columns]) for own in weights])

        def tensor(values: NDArray[np.float64]) -> Tensor:
            return torch.from_numpy(values.astype(np.float32)).to(device)

        return cls(
            starts=torch.from_numpy(starts).to(device),
            columns=torch.from_numpy(columns.astype(np.int32)).to(device),
            frequencies=tensor(worth),
            features=torch.from_numpy(features).to(device),
            weights=tensor(weights),
            scales=tensor(to_length_1),
            num_features=texts.num_features,
            longest=int(np.diff(starts).max(initial=0)),
            is_padded=device.type == "cuda",
            vocabularies=vocabularies,
            terms=texts.terms,
        )

    def gather(self, rows: Tensor) -> Tensor:
        """Return the features of the texts in `rows` (replicates, texts), one axis more than those."""
        num_replicates, num_rows = rows.shape
        num_terms, end = self.features.shape[1], rows.numel() * self.num_features
        text, entry, is_none = self._entries(rows.reshape(-1))
        term = torch.div(text, num_rows, rounding_mode="floor").mul_(num_terms).add_(self.columns[entry])
        values = self.frequencies[entry]
        values *= self.weights.view(-1)[term]
        values *= self.scales.gather(1, rows).view(-1)[text]
        # What is not a feature is written behind the end, where nobody reads.
        place = text.mul(self.num_features).add_(self.features.view(-1)[term]).clamp_(max=end)
        if is_none is not None:
            place.masked_fill_(is_none, end)
        dense = values.new_zeros(end + 1)
        dense[place] = values
        return dense[:end].view(num_replicates, num_rows, self.num_features)

    def _entries(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return for each entry of these texts the text's place in `rows`, where it stands, and whether it is none.

        On a GPU, where no size may depend on values, each text has as many entries as the longest.
        """
        first = self.starts[rows]
        lengths = self.starts[rows + 1] - first
        if self.is_padded:
            count = torch.arange(self.longest, device=rows.device).expand(len(rows), -1)
            text = torch.arange(len(rows), device=rows.device).unsqueeze(1).expand_as(count)
            entry = (first.unsqueeze(1) + count).clamp_(max=len(self.columns) - 1)
            return text.reshape(-1), entry.view(-1), (count >= lengths.unsqueeze(1)).view(-1)
        text = torch.repeat_interleave(lengths)
        entry = torch.arange(len(text), device=rows.device).add_((first - lengths.cumsum(0) + lengths)[text])
        return text, entry, None

    def state_dict(self, replicate: int) -> dict[str, Tensor]:
        """Return what one replicate's network needs beside its weights and its vocabulary."""
        return {"texts.weights": torch.from_numpy(self.vocabularies[replicate].weights)}

    def vocabulary(self, replicate: int) -> list[str]:
        """Return the terms that are one replicate's features, in order."""
        return [self.terms[column] for column in self.vocabularies[replicate].columns]

    def part(self, replicates: slice) -> "TextFeatures":
        """Return the features of these replicates, without a copy."""
        return replace(
            self,
            features=self.features[replicates],
            weights=self.weights[replicates],
            scales=self.scales[replicates],
            vocabularies=self.vocabularies[replicates],
        )


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


def sparse_features(texts: TextCounts, vocabulary: Vocabulary, rows: NDArray[np.int64]) -> "csr_matrix":
    """Return the features of some texts, shape (rows, texts.num_features)."""
    from scipy.sparse import csr_matrix  # here, because workers do without it

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
