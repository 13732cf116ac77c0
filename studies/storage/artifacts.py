"""Writes the weights of kept networks atomically, with their hashes."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from reports.pages.atomic_files import make_private, write_whole
from studies.database.results import Artifact
from studies.storage.paths import below

BEST = "best"
"""The folder below models/ that holds the best configuration's weights."""


def write_models(folder: Path, name: str, models: Mapping[int, bytes]) -> list[Artifact]:
    """Write `folder`/models/`name`/block-B.safetensors for each block B in `models`; return the artifacts."""
    return [
        write_artifact(folder, Path("models") / name / f"block-{block}.safetensors", data)
        for block, data in models.items()
    ]


def write_artifact(folder: Path, relative: Path, data: bytes) -> Artifact:
    """Write a file below `folder` atomically and return its artifact. Raises OSError, leaving an earlier file as is."""
    path = below(folder, relative.as_posix())
    make_private(path.parent)
    write_whole(path, data)
    return Artifact(path=relative.as_posix(), sha256=hashlib.sha256(data).hexdigest(), num_bytes=len(data))
