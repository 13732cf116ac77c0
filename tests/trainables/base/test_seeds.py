"""Seeds depend on what they are for, and on nothing else."""

import subprocess
import sys

from trainables.base.seeds import derive_seed


def test_a_seed_never_changes() -> None:
    """A new number here would make every recorded study another one."""
    assert derive_seed(0, "split", 3) == 6619291097994943266


def test_every_part_of_the_purpose_counts() -> None:
    purposes = [(0,), (1,), (0, "a"), (0, "b"), (0, "a", 1), (0, "a", 2), (0, "1"), (0, 1), (0, "a", "1")]
    seeds = [derive_seed(*purpose) for purpose in purposes]  # type: ignore[arg-type]
    assert len(set(seeds)) == len(purposes)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_another_process_derives_the_same() -> None:
    code = "from trainables.base.seeds import derive_seed; print(derive_seed(12, 'search', 4))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(printed) == derive_seed(12, "search", 4)
