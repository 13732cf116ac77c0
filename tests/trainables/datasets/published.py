"""Small files in a published dataset's format, and a publication that knows their hashes."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType

import pytest

from trainables.data.dataset_files import Publication


def publish(monkeypatch: pytest.MonkeyPatch, module: ModuleType, contents: Sequence[bytes]) -> Publication:
    """Let `module` expect these contents for its files, in their order, and let nothing be installed."""
    published: Publication = module.PUBLICATION
    files = tuple(
        replace(file, sha256=hashlib.sha256(content).hexdigest())
        for file, content in zip(published.files, contents, strict=True)
    )
    small = replace(published, files=files, installed=None)
    monkeypatch.setattr(module, "PUBLICATION", small)
    return small
