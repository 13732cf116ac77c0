"""docs/cluster_messages.md: each message that it explains is really one, of ours or of the Ray that is installed."""

import re
from pathlib import Path

import pytest
import ray

from tests.readme import PAGES, ROOT

PAGE = PAGES["docs/cluster_messages.md"]
MESSAGES = [
    message
    for row in re.findall(r"^\| (`.+?) \|", PAGE, re.MULTILINE)
    for message in re.findall(r"`([^`]+)`", row)
]
RAY = Path(ray.__file__).parent
BINARIES = ("_raylet.so", "core/src/ray/raylet/raylet", "core/src/ray/gcs/gcs_server")
LEAST = 12
"""Characters of the longest part between a message's placeholders: less could stand anywhere."""


@pytest.fixture(scope="module")
def said() -> bytes:
    """Return everything that our code and Ray's can say, with strings joined that the code has cut."""
    ours = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "studies").rglob("*.py"))]
    rays = [
        path.read_text(encoding="utf-8") for path in sorted(RAY.rglob("*.py")) if "tests" not in path.parts
    ]
    text = re.sub(r'"\s*f?"', "", "\n".join([*ours, *rays]))
    binaries = [(RAY / name).read_bytes() for name in BINARIES]
    return b"\n".join([re.sub(r"\s+", " ", text).encode(), *binaries])


def parts(message: str) -> list[str]:
    """Return what stands between a message's placeholders: words in capitals, dots, and lists of them.

    >>> parts("no Ray cluster could be joined at HOST:6379: ...")
    ['no Ray cluster could be joined at']
    """
    cut = re.split(r"\.\.\.|\b(?:HOST|N|SIZE|FOLDER|NAME|NODE|URL|STUDY)\b(?::\d+)?", message)
    return [part.strip(" :,") for part in cut if len(part.strip(" :,")) >= LEAST]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_that_is_explained_is_one(message: str, said: bytes) -> None:
    looked_for = parts(message)
    assert looked_for, "there is nothing to look for"
    assert [part for part in looked_for if part.encode() not in said] == []
