"""No byte of a database can change so that a door falls over, or verify says Sound over a value that a page shows."""

import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.studies.verifying import sound
from tests.studies.verifying.flipping import Tally, flip_all, prepared


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the doors look."""
    monkeypatch.setenv("STUDIES_STORAGE", sound.url(tmp_path))
    monkeypatch.setenv("STUDIES_OUTPUT", str(tmp_path))
    return tmp_path


def flipped(folder: Path, positions: Iterable[int] | None) -> Tally:
    """Flip these bytes of a small study's database, all of them where none are given."""
    whole, undamaged = prepared(folder)
    return flip_all(folder, whole, range(len(whole)) if positions is None else positions, undamaged)


def rows_of(folder: Path, num: int) -> list[int]:
    """Return places in the texts and numbers of rows, where most of a database is unused space or keys."""
    whole = prepared(folder)[0]
    drawn = random.Random(0)
    marks = [b"learning_rate", b"run_ended", b"complete", b"num_classes", b"w2026", b"weights", b"{}"]
    starts = [place for mark in marks if (place := whole.find(mark)) >= 0]
    near = [start + drawn.randrange(-40, 60) for start in starts for _ in range(num // len(marks))]
    return [*near, *(drawn.randrange(len(whole)) for _ in range(num - len(near)))]


def test_a_flipped_bit_is_found_or_changes_no_page(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tally = flipped(folder, rows_of(tmp_path_factory.mktemp("places"), 14))
    assert tally.wrong == []
    assert tally.said["Sound"] < tally.said.total()


@pytest.mark.slow
def test_any_flipped_bit_is_found_or_changes_no_page(folder: Path) -> None:
    tally = flipped(folder, None)
    print(tally.said)
    assert tally.wrong == []
