"""`studies verify NAME` says what holds, one line each, and exits with 1 if something does not."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from studies import list as studies_list
from studies import report, show, status
from studies.base.errors import StudiesError
from studies.database.store import Store
from studies.results.recorded import load
from studies.verify import main
from tests.studies.terminal.recorded import strict_json
from tests.studies.verification import sound

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sound study called small."""
    folder = tmp_path_factory.mktemp("original")
    with Store.open(sound.url(folder)) as store:
        sound.complete(store, folder)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which the door looks."""
    monkeypatch.setenv("STUDIES_STORAGE", sound.url(tmp_path))
    monkeypatch.setenv("STUDIES_OUTPUT", str(tmp_path))
    return shutil.copytree(original, tmp_path, dirs_exist_ok=True)


def execute(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / sound.STORAGE)) as connection, connection:
        connection.execute(statement)


def test_a_sound_study_gets_a_line_for_each_check(folder: Path, capsys: Capture) -> None:
    assert main(["small"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("small  complete, plan ")
    checks = [line.split()[:2] for line in lines if line.startswith("ok")]
    assert checks == [["ok", name] for name in ("plan", *(f"I{number}" for number in range(1, 10)))]
    assert "92 epochs of 40 networks" in " ".join(" ".join(lines).split())
    assert lines[-1] == "Sound: all 10 checks hold."


def test_a_fault_is_named_with_what_to_do(folder: Path, capsys: Capture) -> None:
    execute(folder, "DELETE FROM epoch WHERE epoch = 2")
    assert main(["small"]) == 1
    lines = capsys.readouterr().out.splitlines()
    (place,) = (place for place, line in enumerate(lines) if line.startswith("FAIL  I1"))
    faults = [line.strip() for line in lines[place:] if line.strip().startswith("- ")]
    assert faults[0].endswith("epoch 2 is missing")
    assert faults[3].startswith("- and ")
    assert faults[3].endswith(" more")
    assert lines[-2].startswith("Not sound: 2 of 10 checks fail. Rely on none of this study's numbers")


@pytest.mark.parametrize(
    ("statement", "advice"),
    [
        ("UPDATE artifact SET sha256 = 'ab'", "Rely on none of this study's numbers"),
        ("DELETE FROM trial WHERE number = 20", "Write nothing more to this storage"),
    ],
)
def test_the_advice_fits_what_is_wrong(statement: str, advice: str, folder: Path, capsys: Capture) -> None:
    execute(folder, statement)
    assert main(["small"]) == 1
    assert advice in " ".join(capsys.readouterr().out.split())


def test_where_files_alone_are_lost_the_numbers_are_sound(folder: Path, capsys: Capture) -> None:
    (folder / "small" / sound.FILE).unlink()
    assert main(["small"]) == 1
    assert "The numbers are sound: copy the files back" in " ".join(capsys.readouterr().out.split())


def test_json_has_every_check(folder: Path, capsys: Capture) -> None:
    execute(folder, "DELETE FROM epoch")
    assert main(["small", "--json"]) == 1
    found = strict_json(capsys.readouterr().out)
    assert (found["study"], found["state"], found["sound"]) == ("small", "complete", False)
    checks = {check["name"]: check for check in found["checks"]}
    assert list(checks) == ["plan", *(f"I{number}" for number in range(1, 10))]
    assert checks["I1"]["num_faults"] == len(checks["I1"]["faults"]) == 40
    assert checks["I4"] == {
        "name": "I4",
        "rule": "stored decisions equal to a replay: ASHA's, and those after looks",
        "holds": True,
        "looked_at": "33 decisions of ASHA",
        "num_faults": 0,
        "faults": [],
    }


def test_nothing_is_written(folder: Path) -> None:
    def contents() -> dict[Path, tuple[int, bytes]]:
        files = [
            path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal"))
        ]
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

    before = contents()
    assert main(["small"]) == 0
    assert contents() == before


def test_an_unknown_name_lists_the_studies(folder: Path, capsys: Capture) -> None:
    assert main(["smal"]) == 2
    assert "did you mean small?" in capsys.readouterr().err


def test_a_name_that_no_study_can_have_is_unknown_like_any_other(folder: Path, capsys: Capture) -> None:
    assert main(["../small"]) == 2
    assert "../small: no such study" in capsys.readouterr().err


def test_a_study_that_somebody_holds_is_verified_all_the_same(folder: Path) -> None:
    with Store.open(sound.url(folder)) as store, store.hold(1):
        assert main(["small"]) == 0


def test_the_documentation_and_help_give_the_number_of_checks_and_their_names(
    folder: Path, capsys: Capture
) -> None:
    assert main(["small", "--json"]) == 0
    names = [check["name"] for check in strict_json(capsys.readouterr().out)["checks"]]
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = " ".join(capsys.readouterr().out.split())
    page = " ".join(Path("docs/storage.md").read_text(encoding="utf-8").split())
    assert f"the plan and {names[1]} to {names[-1]}, {len(names)} checks in all" in printed
    assert f"`studies verify NAME` makes {len(names)} checks: the plan, and {names[1]} to {names[-1]}" in page
    assert all(f"| {name} |" in page for name in names)


@pytest.mark.parametrize(
    "change",
    [
        "epoch SET metrics = '{' WHERE trial_number = 3",
        "epoch SET val_loss = 'low' WHERE trial_number = 3",
        "epoch SET train_loss = 0.125 WHERE trial_number = 3",
        "trial SET state = 'done' WHERE number = 3",
        "trial SET started_at = 'noon' WHERE number = 3",
        "trial SET error = CAST(x'ff' AS TEXT) WHERE number = 3",
        "event SET detail = '[1]' WHERE kind = 'run_started'",
        "study SET plan = '{}'",
        "study SET state = 'lost'",
        "study SET updated_at = '2026-11-30 01:24:04.99X705'",
        "study SET question = CAST(x'ff' AS TEXT)",
    ],
)
def test_every_door_that_reads_a_damaged_row_names_it_in_two_lines(
    change: str, folder: Path, capsys: Capture
) -> None:
    execute(folder, f"UPDATE {change}")
    table, *_ = change.split()
    is_read_by_all = table != "epoch"
    for door, arguments in (
        (report.main, ["small"]),
        (show.main, ["small"]),
        (status.main, ["small"]),
        (studies_list.main, []),
    ):
        code = door(arguments)
        told = capsys.readouterr().err.splitlines()
        if code == 0 and not is_read_by_all and door is not report.main:
            continue
        assert (code, len(told)) == (1, 2), told
        assert told[0].startswith(f"error: small holds a damaged row: table {table}, ")
        assert told[1].startswith("See all of them: studies verify small; then restore a copy")
    assert main(["small"]) == 1
    assert f"table {table}, " in " ".join(capsys.readouterr().out.split())


def test_a_frame_of_a_damaged_table_is_refused(folder: Path) -> None:
    execute(
        folder, "UPDATE epoch SET train_loss = 0.125 WHERE trial_number = 3 AND epoch = 2 AND replicate = 0"
    )
    study = load("small")
    assert len(study.trials()) == 20
    assert len(study.gradients()) > 0
    with pytest.raises(StudiesError, match="table epoch, trial 3, replicate 0, epoch 2: it is not what was"):
        study.epochs()
