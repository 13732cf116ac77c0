"""Writing the weights of kept networks: whole or not at all, with their hashes."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from studies.database.results import Artifact
from studies.locations import below

BEST = "best"
"""The folder below models/ that holds the best configuration's weights."""


def write_models(folder: Path, name: str, models: Mapping[int, bytes]) -> list[Artifact]:
    """Write `folder`/models/`name`/block-B.safetensors for the network of each block; return what was written."""
    return [
        write_artifact(folder, Path("models") / name / f"block-{block}.safetensors", data)
        for block, data in models.items()
    ]


def write_artifact(folder: Path, relative: Path, data: bytes) -> Artifact:
    """Write a file below `folder` under a temporary name, sync it, then give it its name."""
    path = below(folder, relative.as_posix())
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".partial")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return Artifact(path=relative.as_posix(), sha256=hashlib.sha256(data).hexdigest(), num_bytes=len(data))
