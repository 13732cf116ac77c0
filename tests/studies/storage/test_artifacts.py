"""Weights on disk: whole or not at all, with the hash of what is there."""

import hashlib
from pathlib import Path

import pytest

from studies.storage.artifacts import write_artifact, write_models


def test_models_are_written_by_block_with_their_hashes(tmp_path: Path) -> None:
    written = write_models(tmp_path, "best", {0: b"zero", 3: b"three"})
    assert [artifact.path for artifact in written] == [
        "models/best/block-0.safetensors",
        "models/best/block-3.safetensors",
    ]
    for artifact, data in zip(written, (b"zero", b"three"), strict=True):
        assert (tmp_path / artifact.path).read_bytes() == data
        assert artifact.sha256 == hashlib.sha256(data).hexdigest()
        assert artifact.num_bytes == len(data)


def test_a_file_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    relative = Path("models/best/a.safetensors")
    write_artifact(tmp_path, relative, b"old")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("os.fsync", fail)
        with pytest.raises(OSError, match="No space left"):
            write_artifact(tmp_path, relative, b"new")
    assert (tmp_path / relative).read_bytes() == b"old"
    write_artifact(tmp_path, relative, b"new")
    assert [path.name for path in (tmp_path / relative).parent.iterdir()] == ["a.safetensors"]
