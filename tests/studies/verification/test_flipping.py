"""No byte of a database can change so that a door falls over, or verify says Sound over a value that a page shows."""

import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.studies.verification import sound
from tests.studies.verification.flipping import Tally, flip_all, prepared


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the doors look."""
    monkeypatch.setenv("STUDIES_STORAGE", sound.url(tmp_path))
    monkeypatch.setenv("STUDIES_OUTPUT", str(tmp_path))
    return tmp_path


def flipped(folder: Path, places: Callable[[bytes], Iterable[int]]) -> Tally:
    """Flip these bytes of a small study's database."""
    whole, undamaged = prepared(folder)
    return flip_all(folder, whole, places(whole), undamaged)


def some(whole: bytes) -> list[int]:
    """Return places in the texts and numbers of rows, where most of a database is unused space or keys."""
    drawn = random.Random(0)
    marks = (b"learning_rate", b"run_ended", b"num_classes", b"complete", b"{}")
    found = [whole.find(mark) for mark in marks]
    assert min(found) >= 0
    return [place + drawn.randrange(-30, 50) for place in found]


def test_a_flipped_bit_is_found_or_changes_no_page(folder: Path) -> None:
    tally = flipped(folder, some)
    assert tally.wrong == []
    assert tally.said["Sound"] < tally.said.total()


@pytest.mark.slow
def test_any_flipped_bit_is_found_or_changes_no_page(folder: Path) -> None:
    tally = flipped(folder, lambda whole: range(len(whole)))
    print(tally.said)
    assert tally.wrong == []
