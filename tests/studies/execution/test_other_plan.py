"""A name that is recorded with another plan is refused with two commands, and both do what they say."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from studies.catalog import depth_study
from studies.database.store import Store
from studies.planning.command_line import parse_run, request_of
from studies.planning.plan import Plan
from studies.planning.request import Request, draft
from studies.run_log.run_events import note_start
from studies.storage.paths import locate
from tests.studies.faults.light import TRACES, run_without_ray
from tests.studies.samples.laid_out import lay_out

Capture = pytest.CaptureFixture[str]
URL = "sqlite:///runs/studies.db"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in the folder of a sample of today's plans, where nothing needs Ray."""
    monkeypatch.chdir(tmp_path)
    for name in ("STUDIES_STORAGE", "STUDIES_OUTPUT", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "traces").mkdir()
    monkeypatch.setenv(TRACES, str(tmp_path / "traces"))
    lay_out("plan_4", tmp_path)


def refused(capsys: Capture, *words: str) -> tuple[str, str, str]:
    """Give a command that is refused; return the refusal, and what it says of both ways."""
    capsys.readouterr()
    assert run_without_ray(*words) == 2
    told = re.search(
        r"^error: (.*)\nGo on with the recorded one: (.*)\nRun this one beside it: (.*)\n\Z",
        capsys.readouterr().err,
        flags=re.DOTALL | re.MULTILINE,
    )
    assert told is not None
    what, resume, beside = told.groups()
    return what, resume, beside


def words_of(command: str) -> list[str]:
    """Return what is given to the door by a command as it is printed."""
    words = shlex.split(command)
    assert words[:2] == ["studies", "run"]
    return [word for word in words[2:] if word not in ("--no-dashboard", "--workers", "1")]


def states() -> dict[str, str]:
    with Store.open(URL, create=False) as store:
        return {study.name: str(study.state) for study in store.studies()}


def plans() -> dict[str, str]:
    with Store.open(URL, create=False) as store:
        return {study.name: study.plan_hash for study in store.studies()}


def record(plan: Plan, command: str) -> None:
    """Record a study of which a run has begun."""
    with Store.open(URL, create=False) as store:
        study = store.create_study(
            name=plan.name, question="?", plan=plan.to_dict(), plan_hash=plan.hash, seed=plan.seed
        )
        note_start(store, study.id, {"command": command, "versions": {"studies": "0.1.0"}, "commit": "abc"})


def fingerprint() -> str:
    with Store.open(URL, create=False) as store:
        return next(
            str(study.plan["dataset_fingerprint"])
            for study in store.studies()
            if study.plan["dataset"] == "digits"
        )


def test_both_commands_as_printed_do_what_they_say(capsys: Capture) -> None:
    before, was = plans(), states()
    what, resume, beside = refused(capsys, "./table.py", "--set", "replicates=2", "--name", "table")
    assert what == "study table exists with another plan (recorded -> asked for):\n  replicates: 1 -> 2"
    assert plans() == before
    assert (was["table"], resume) == (
        "interrupted",
        "studies run ./table.py --workers 1 --no-dashboard",
    )
    assert run_without_ray(*words_of(resume)) == 0
    assert (states()["table"], plans()) == ("complete", before)
    assert run_without_ray(*words_of(beside)) == 0
    ((name, plan_hash),) = plans().items() - before.items()
    assert re.fullmatch(r"table-[0-9a-f]{4}", name)
    assert plan_hash.startswith(name[-4:])
    assert states()[name] == "complete"


def test_a_changed_file_is_to_be_put_back_first(capsys: Capture) -> None:
    file = Path("table.py")
    original = file.read_text()
    file.write_text(original.replace("rungs=(1, 3)", "rungs=(1, 3), reduction_factor=3"))
    what, resume, beside = refused(capsys, "./table.py")
    assert re.fullmatch(r".*:\n  source_hash: \"\w+\" -> \"\w+\"", what)
    undo, then, command = resume.partition("; then ")
    assert undo == "put its file, and the modules beside it, back as they were"
    assert words_of(beside)[:2] == ["./table.py", "--name"]
    file.write_text(original)
    assert then
    assert run_without_ray(*words_of(command)) == 0
    assert states()["table"] == "complete"


def test_changed_data_are_to_be_put_back_first(capsys: Capture) -> None:
    table = Path("flowers.csv")
    original = table.read_text()
    table.write_text(original.replace("red", "pink"))
    what, resume, _ = refused(capsys, "./table.py")
    assert re.fullmatch(r".*:\n  dataset_fingerprint: \"\w+\" -> \"\w+\"", what)
    assert resume.startswith("put its data (csv:flowers.csv) back as they were; then studies run ./table.py")
    table.write_text(original)
    assert run_without_ray(*words_of(resume.partition("; then ")[2])) == 0


def test_a_definition_of_the_catalog_that_changed_is_restored_by_settings(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {"factors.depth": [1], "factors.dropout": [0.0], "factors.batch_norm": [False]}
    request = Request(study="depth_study", settings={**small, "replicates": 1}, name="mine")
    recorded = draft(request).plan(fingerprint())
    record(recorded, request.command("run"))
    changed = replace(depth_study.STUDY, search=replace(depth_study.STUDY.search, trials_per_cell=9))
    monkeypatch.setattr(depth_study, "STUDY", changed)
    what, resume, beside = refused(capsys, *request.arguments())
    assert what.endswith(":\n  search.trials_per_cell: 6 -> 9")
    assert "--set search.trials_per_cell=6" in resume
    asked = request_of(parse_run(words_of(resume)))
    assert draft(asked).plan(fingerprint()).hash == recorded.hash
    assert draft(asked).plan(fingerprint()).name == "mine"
    new = request_of(parse_run(words_of(beside)))
    assert draft(new).plan(fingerprint()).hash == draft(request).plan(fingerprint()).hash


def test_what_no_setting_restores_needs_what_recorded_it(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = Request(study="depth_study", name="mine")
    record(draft(request).plan(fingerprint()), request.command("run"))
    more = {**depth_study.STUDY.factors, "label_smoothing": (0.0, 0.1)}
    monkeypatch.setattr(depth_study, "STUDY", replace(depth_study.STUDY, factors=more))
    _, resume, _ = refused(capsys, *request.arguments())
    assert resume == (
        "this version of Studies defines it differently, so use the version that recorded it, Studies 0.1.0 "
        "(commit abc); then studies run depth_study --name mine"
    )


def test_a_command_of_another_time_or_place_is_printed_as_it_was(capsys: Capture) -> None:
    request = Request(study="depth_study", name="mine", settings={"replicates": 3})
    record(draft(request).plan("other data"), "studies of old --run mine")
    _, resume, _ = refused(capsys, "depth_study", "--name", "mine")
    assert resume.endswith("; then studies of old --run mine")


def test_the_storage_and_the_output_folder_that_were_asked_for_are_kept(capsys: Capture) -> None:
    where = ("--storage", URL, "--output", "a b")
    _, resume, beside = refused(capsys, "./table.py", "--set", "replicates=2", "--name", "table", *where)
    for command in (resume, beside):
        options = parse_run(shlex.split(command)[2:])
        assert (options.storage, options.output) == (URL, "a b")
        assert locate(options.storage, options.output).output == Path("a b")
