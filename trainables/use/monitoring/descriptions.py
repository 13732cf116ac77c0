"""What is compared of images and texts: a few numbers each, which say how they were taken or written."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trainables.data.text_counts import WORD
from trainables.use.monitoring.reference import ColumnGroup

GRID: Final = 6
"""The mean brightness of so many by so many parts says where an image is light."""

MOST_WORDS: Final = 200
"""Words whose presence is compared one by one."""

_SENTENCE = re.compile(r"[.!?]+")


@dataclass(frozen=True, kw_only=True)
class Described:
    """Rows of features with their names and groups, as `Reference.of` and `drift` take them.

    Of texts, `document_counts` says how many have each term of the vocabulary.
    """

    features: NDArray[np.float32]
    names: tuple[str, ...]
    groups: tuple[ColumnGroup, ...]
    document_counts: NDArray[np.int64] | None = None


def describe_images(images: ArrayLike) -> Described:
    """Describe images of shape (images, channels, height, width), or (images, height, width) of one channel.

    Brightness (mean), contrast (standard deviation), sharpness (standard deviation of the Laplacian over contrast),
    noise (mean distance of a pixel to the median of itself and its two neighbours across, over contrast), the
    darkest and the brightest twentieth, the mean of each channel where there are several, and brightness by part.
    All in the unit of the pixels; the channels' mean is what is measured, but for their own means.
    """
    pixels = np.asarray(images, np.float32)
    pixels = pixels[:, None] if pixels.ndim == 3 else pixels
    grey = pixels.mean(axis=1)
    flat = grey.reshape(len(grey), -1)
    contrast = flat.std(axis=1)
    safe = np.maximum(contrast, 1e-6)
    dark, bright = np.quantile(flat, (0.05, 0.95), axis=1)
    columns: dict[str, NDArray[np.float32]] = {
        "brightness": flat.mean(axis=1),
        "contrast": contrast,
        "sharpness": _laplacian(grey).reshape(len(grey), -1).std(axis=1) / safe,
        "noise": _unevenness(grey) / safe,
        "darkest twentieth": dark,
        "brightest twentieth": bright,
    }
    if pixels.shape[1] > 1:
        for place, mean in enumerate(pixels.mean(axis=(2, 3)).T):
            columns[f"channel {place + 1}"] = mean
    columns |= dict(_parts(grey))
    names = tuple(columns)
    groups = tuple(
        ColumnGroup(name=name, kind="number", first=place, last=place) for place, name in enumerate(names)
    )
    return Described(
        features=np.stack([*columns.values()], axis=1).astype(np.float32), names=names, groups=groups
    )


def _laplacian(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each inner pixel's difference to its four neighbours; zeros where an image is too small."""
    if min(grey.shape[1:]) < 3:
        return np.zeros((len(grey), 1, 1), np.float32)
    middle = grey[:, 1:-1, 1:-1]
    return np.asarray(
        grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4 * middle,
        np.float32,
    )


def _unevenness(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    if grey.shape[2] < 3:
        return np.zeros(len(grey), np.float32)
    three = np.stack([grey[:, :, :-2], grey[:, :, 1:-1], grey[:, :, 2:]])
    distance = np.abs(three[1] - np.median(three, axis=0))
    return np.asarray(distance.mean(axis=(1, 2)), np.float32)


def _parts(grey: NDArray[np.float32]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    rows, columns = (
        np.array_split(np.arange(size), min(GRID, size)) for size in (grey.shape[1], grey.shape[2])
    )
    for down, inside in enumerate(rows):
        for across, beside in enumerate(columns):
            part = grey[:, inside[0] : inside[-1] + 1, beside[0] : beside[-1] + 1]
            yield f"part {down + 1}-{across + 1}", part.mean(axis=(1, 2))


def describe_texts(texts: Iterable[str], vocabulary: Sequence[str], words: Sequence[str]) -> Described:
    """Describe texts: length, how they are written, how much of them the vocabulary knows, which words they have.

    `vocabulary` are the model's terms, words and pairs of words; a word of a text is unknown if it is in none of
    them. `words` are terms whose presence is compared (see `frequent_words`).
    """
    terms = {term: place for place, term in enumerate(vocabulary)}
    known = {word for term in vocabulary for word in term.split()}
    counts = np.zeros(len(terms), np.int64)
    numbers, present = [], []
    for text in texts:
        found = WORD.findall(text.lower())
        pairs = (f"{one} {other}" for one, other in itertools.pairwise(found))
        seen = {terms[term] for term in (*found, *pairs) if term in terms}
        counts[list(seen)] += 1
        present.append(seen)
        numbers.append(_numbers(text, found, known))
    kept = {terms[word]: column for column, word in enumerate(words)}
    has = np.zeros((len(present), len(kept)), np.float32)
    for row, seen in enumerate(present):
        has[row, [kept[place] for place in seen if place in kept]] = 1
    groups = [
        ColumnGroup(name=name, kind="number", first=place, last=place) for place, name in enumerate(_NUMBERS)
    ]
    if words:
        first = len(_NUMBERS)
        groups.append(
            ColumnGroup(name="frequent words", kind="words", first=first, last=first + len(words) - 1)
        )
    told = np.array(numbers, np.float32).reshape(-1, len(_NUMBERS))
    return Described(
        features=np.concatenate([told, has], axis=1),
        names=(*_NUMBERS, *words),
        groups=tuple(groups),
        document_counts=counts,
    )


def frequent_words(vocabulary: Sequence[str], weights: ArrayLike) -> tuple[str, ...]:
    """Return the MOST_WORDS single words that most texts of the training part have: those of the lowest idf.

    Chosen on the training part, which no reference contains: among the most frequent words of the reference itself
    would be some that are frequent there by accident, and rarer in any later sample.
    """
    order = np.argsort(np.asarray(weights, float), kind="stable")
    return tuple(vocabulary[place] for place in order if " " not in vocabulary[place])[:MOST_WORDS]


def words_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return the words among the names of a reference of texts."""
    return tuple(names[len(_NUMBERS) :])


_NUMBERS: Final = (
    "words",
    "unknown words",
    "length of a word",
    "different words",
    "length of a sentence",
    "signs",
)
"""Number of words, share of them that the vocabulary lacks, mean letters, share of distinct ones among the first 100,
words for each sentence, share of characters that are neither letter, digit nor blank."""


def _numbers(text: str, found: Sequence[str], known: set[str]) -> tuple[float, ...]:
    """Return what `_NUMBERS` names; NaN where a text has no word or no character."""
    if not found:
        return (0.0, np.nan, np.nan, np.nan, np.nan, _signs(text))
    first = found[:100]
    return (
        float(len(found)),
        sum(word not in known for word in found) / len(found),
        sum(map(len, found)) / len(found),
        len(set(first)) / len(first),
        len(found) / max(len([each for each in _SENTENCE.split(text) if each.strip()]), 1),
        _signs(text),
    )


def _signs(text: str) -> float:
    if not text:
        return float("nan")
    return sum(not (sign.isalnum() or sign.isspace()) for sign in text) / len(text)
