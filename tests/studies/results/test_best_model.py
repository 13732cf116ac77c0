"""Which network becomes the model, and how its folder is written."""

from pathlib import Path

import pandas as pd
import pytest

from studies.results.best_model import median_block, write_model


def replicates(losses: dict[int, float | None], **outcomes: str) -> pd.DataFrame:
    """Return rows of replicates with these validation losses by block."""
    return pd.DataFrame(
        {
            "block": list(losses),
            "val_loss": [float("nan") if loss is None else loss for loss in losses.values()],
            "outcome": [outcomes.get(f"block_{block}", "complete") for block in losses],
        }
    )


@pytest.mark.parametrize(
    ("losses", "median"),
    [
        ({0: 0.3, 1: 0.1, 2: 0.2}, 2),
        ({0: 0.4, 1: 0.1, 2: 0.2, 3: 0.3}, 2),
        ({5: 0.1}, 5),
        ({3: 0.2, 1: 0.2}, 1),
    ],
)
def test_it_is_the_lower_median_by_validation_loss(losses: dict[int, float | None], median: int) -> None:
    assert median_block(replicates(losses)) == median


def test_networks_that_failed_are_no_models() -> None:
    found = replicates({0: 0.1, 1: 0.2, 2: 0.3, 3: None}, block_0="diverged", block_1="failed")
    assert median_block(found) == 2
    assert median_block(replicates({0: None}, block_0="failed")) is None


def test_what_a_killed_run_left_of_a_file_is_removed_and_the_manifest_comes_last(tmp_path: Path) -> None:
    (tmp_path / ".weights.safetensors.123.partial").write_bytes(b"half")
    (tmp_path / "manifest.json").write_bytes(b"old")
    written = write_model(tmp_path, {"manifest.json": b"new", "code/a.py": b"a", "weights.safetensors": b"w"})
    assert [each.path for each in written] == ["code/a.py", "weights.safetensors", "manifest.json"]
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"code/a.py", "weights.safetensors", "manifest.json"}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()} == {0o600}
