"""What the lease leaves beside a SQLite database: one lock file, its owner's alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from studies.base.errors import HeldError, StudiesError
from studies.database.rows import StudyRow
from studies.database.store import Store
from tests.studies.database.recorded import add_trial, new_study

pytestmark = pytest.mark.usefixtures("quick_to_let_go")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return an open, empty SQLite store."""
    with Store.open(f"sqlite:///{tmp_path}/[studies].db") as opened:
        yield opened


def locks(folder: Path) -> dict[str, int]:
    """Return the lock files in a folder with their modes."""
    return {path.name: path.stat().st_mode & 0o777 for path in folder.glob("*-lease-*")}


def test_a_lock_is_readable_by_its_owner_alone_and_goes_away(
    store: Store, study: StudyRow, tmp_path: Path
) -> None:
    mask = os.umask(0)
    try:
        with store.hold(study.id):
            assert locks(tmp_path) == {f"[studies].db-lease-{study.id}-1": 0o600}
    finally:
        os.umask(mask)
    assert locks(tmp_path) == {}


def test_what_killed_holders_left_is_removed_by_the_next(
    store: Store, study: StudyRow, tmp_path: Path
) -> None:
    second = new_study(store, "second")
    for name in (f"{study.id}-1", f"{study.id}-3", f"{second.id}-1"):
        (tmp_path / f"[studies].db-lease-{name}").touch(0o600)
    with store.hold(second.id), store.hold(study.id):
        mine = {f"[studies].db-lease-{each.id}-1" for each in (study, second)}
        assert set(locks(tmp_path)) == mine
    assert locks(tmp_path) == {}


def test_a_lock_that_somebody_removes_lets_a_second_one_in_and_keeps_the_first_one_out(
    store: Store, study: StudyRow, tmp_path: Path
) -> None:
    with store.hold(study.id):
        (tmp_path / f"[studies].db-lease-{study.id}-1").unlink()
        with Store.open(f"sqlite:///{tmp_path}/[studies].db") as other, other.hold(study.id):
            add_trial(other, study)
            with pytest.raises(HeldError):
                add_trial(store, study, 2)


def test_a_lock_that_leads_elsewhere_is_not_followed(store: Store, study: StudyRow, tmp_path: Path) -> None:
    (tmp_path / f"[studies].db-lease-{study.id}-1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StudiesError, match=r"the lock file .* cannot be used"), store.hold(study.id):
        pytest.fail("nothing is held")
    assert not (tmp_path / "elsewhere").exists()
