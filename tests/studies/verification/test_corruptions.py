"""Each corruption is found, by the checks whose rules it breaks and by no other, with words that lead to it."""

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from studies.base.states import StudyState
from studies.database.store import Store
from tests.studies.verification import sound
from tests.studies.verification.planted import AT_3, PLANTED


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound, complete study."""
    folder = tmp_path_factory.mktemp("sound")
    with Store.open(sound.url(folder)) as store:
        sound.complete(store, folder)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return shutil.copytree(original, tmp_path / "copy")


def execute(folder: Path, script: str) -> None:
    """Change the storage without the store, and without the rules that it has SQLite keep."""
    with closing(sqlite3.connect(folder / sound.STORAGE)) as connection:
        connection.executescript(script)


@pytest.mark.parametrize("what", PLANTED)
def test_what_was_planted_is_found(what: str, folder: Path) -> None:
    """Its rows have the digests of what they now hold, as if they had been written so."""
    script, names, words = PLANTED[what]
    execute(folder, script)
    sound.reseal(folder)
    faults = sound.faults(sound.verified(folder))
    assert list(faults) == names.split()
    assert any(words in fault for found in faults.values() for fault in found), faults


def test_another_plan_with_its_own_hash_is_found_by_what_the_run_noted(folder: Path) -> None:
    with closing(sqlite3.connect(folder / sound.STORAGE)) as connection, connection:
        (plan,) = connection.execute("SELECT plan FROM study").fetchone()
        other = json.loads(plan.replace("0.02", "0.03"))
        found = hashlib.sha256(json.dumps(other, separators=(",", ":")).encode()).hexdigest()
        connection.execute("UPDATE study SET plan = ?, plan_hash = ?", (json.dumps(other), found))
    (fault,) = sound.faults(sound.verified(folder))["plan"]
    assert fault.startswith("a run was started with a plan of the hash")


@pytest.mark.parametrize(
    ("plan", "words"), [("{", "is not JSON"), ("{}", "is not a plan"), ("[3]", "is not a plan")]
)
def test_where_there_is_no_plan_nothing_is_judged_by_it(plan: str, words: str, folder: Path) -> None:
    execute(folder, f"UPDATE study SET plan = '{plan}'")
    faults = sound.faults(sound.verified(folder))
    assert any(words in fault for fault in faults.pop("plan"))
    (fault,) = faults.pop("I9")
    assert fault == "table study, study small: it is not what was written (its digest does not match)"
    assert faults == {f"I{number}": ["there is no plan to judge by"] for number in range(1, 7)}


def test_a_missing_file_is_found(folder: Path) -> None:
    (folder / "small" / sound.FILE).unlink()
    assert sound.faults(sound.verified(folder)) == {"I8": [f"{sound.FILE} is not in {folder / 'small'}"]}


def test_a_changed_file_is_found(folder: Path) -> None:
    (folder / "small" / sound.FILE).write_bytes(b"Weights")
    (fault,) = sound.faults(sound.verified(folder))["I8"]
    assert fault.startswith(f"{sound.FILE} has the hash")


def test_a_link_out_of_the_folder_is_not_followed(folder: Path) -> None:
    (folder / "elsewhere").write_bytes(b"weights")
    (folder / "small" / sound.FILE).unlink()
    (folder / "small" / sound.FILE).symlink_to(folder / "elsewhere")
    (fault,) = sound.faults(sound.verified(folder))["I8"]
    assert "leads out of" in fault


def test_an_epoch_doubled_behind_its_key_is_found(folder: Path) -> None:
    """Its index does not know the second row, as after a crash of a disk that lied: a query by key sees one alone."""
    key = "CONSTRAINT pk_epoch PRIMARY KEY (study_id, trial_number, replicate, epoch),"
    with closing(sqlite3.connect(folder / sound.STORAGE)) as connection:
        find = "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_epoch_1'"
        (page,) = connection.execute(find).fetchone()
    execute(
        folder,
        f"""
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, '{key}', '/* {key} */') WHERE name = 'epoch';
        DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_epoch_1';
        """,
    )
    execute(folder, f"INSERT INTO epoch SELECT * FROM epoch {AT_3} AND epoch = 2")
    execute(
        folder,
        f"""
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, '/* {key} */', '{key}') WHERE name = 'epoch';
        INSERT INTO sqlite_schema VALUES ('index', 'sqlite_autoindex_epoch_1', 'epoch', {page}, NULL);
        """,
    )
    faults = sound.faults(sound.verified(folder))
    assert "missing from index sqlite_autoindex_epoch_1" in faults["I7"][0]


@pytest.mark.parametrize(
    ("change", "row"),
    [
        (f"epoch SET train_loss = 0.25 {AT_3} AND epoch = 2", "epoch, trial 3, replicate 1, epoch 2"),
        (
            f"layer_gradient SET grad_rms = 0.11 {AT_3} AND epoch = 0",
            "layer_gradient, trial 3, replicate 1, epoch 0, layer 1",
        ),
        ("trial SET worker = 'another' WHERE number = 3", "trial, trial 3"),
        ("event SET at = '2026-01-01 00:00:00' WHERE kind = 'run_ended'", "event, sequence"),
        ("artifact SET num_bytes = 8", f"artifact, path {sound.FILE}"),
        ("study SET created_at = '2020-01-01 00:00:00'", "study, study small"),
    ],
)
def test_a_value_that_no_other_contradicts_is_named_by_its_digest(
    change: str, row: str, folder: Path
) -> None:
    execute(folder, f"UPDATE {change}")
    (fault,) = sound.faults(sound.verified(folder))["I9"]
    assert fault.startswith(f"table {row}")
    assert fault.endswith("is not what was written (its digest does not match)")


def test_a_lost_digest_is_found(folder: Path) -> None:
    execute(folder, f"UPDATE epoch SET digest = NULL {AT_3} AND epoch = 2")
    faults = sound.faults(sound.verified(folder))
    assert faults == {"I9": ["table epoch, trial 3, replicate 1, epoch 2: its digest is missing"]}


def test_a_study_from_before_digests_is_told_from_one_that_has_them(folder: Path) -> None:
    """Of a study that was begun before, the rows written since then have digests."""
    names = [
        "study",
        "trial",
        "replicate",
        "evaluation",
        "epoch",
        "layer_gradient",
        "rung_result",
        "artifact",
        "event",
    ]
    execute(folder, ";".join(f"UPDATE {name} SET digest = NULL" for name in names))
    found = sound.verified(folder)
    assert found.is_sound
    assert found.checks[-1].looked_at.endswith(
        "recorded before digests: values checked for range and agreement only"
    )
    with Store.open(sound.url(folder)) as store:
        store.add_event(1, "note", None, "written since then")
        store.set_study_state(1, StudyState.COMPLETE)
    found = sound.verified(folder)
    assert found.is_sound
    assert ", 228 of them recorded before digests" in found.checks[-1].looked_at
    execute(folder, "UPDATE event SET detail = 'other' WHERE kind = 'note'")
    assert list(sound.faults(sound.verified(folder))) == ["I9"]
