"""A study as a job: what is handed on and what never is, what it takes along, and which job it is."""

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from studies.base.errors import StudiesError, UsageError
from studies.base.states import StudyState
from studies.cluster.job_server import Job, JobServer, JobStatus, UnknownJobError, UnreachableError
from studies.cluster.submitting import TakenError
from studies.database.store import Store
from studies.execution import submission
from studies.execution.job_files import job_folder
from studies.execution.submission import IDENTITY, RecordedRun, Submission, Submitted, prepare, recorded_run
from studies.planning.request import Request
from studies.planning.resources import Resources
from studies.run_log import run_events
from studies.storage import known_servers
from studies.storage.paths import locate
from tests.studies.command import STUDY
from tests.studies.database.recorded import new_study

STORAGE = "postgresql://ann@db/studies"
PASSWORD = "lupine-47-orchid"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STUDIES_STORAGE", "STUDIES_OUTPUT", "PGPASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(submission, "SECONDS_BETWEEN_CONNECTIONS", 0.0)
    monkeypatch.chdir(tmp_path)


def prepared(
    request: Request,
    *,
    storage: str | None = STORAGE,
    output: str | None = "/shared/runs",
    sent: tuple[str, ...] = (),
    with_studies: bool = False,
) -> Submission:
    return prepare(
        request,
        locate(storage, output),
        Resources.asked_for(address="auto", workers=4),
        command="studies submit ...",
        sent=sent,
        with_studies=with_studies,
        take_over=False,
    )


def test_the_job_runs_the_same_command_beside_the_cluster() -> None:
    request = Request(study="depth_study", profile="smoke", settings={"replicates": 4}, until="look")
    job = prepared(request)
    first, *words = shlex.split(job.entrypoint)
    assert first == "exec"
    assert words == [
        *("studies", "run", "depth_study", "--profile", "smoke", "--set", "replicates=4", "--until", "look"),
        *("--storage", STORAGE, "--output", "/shared/runs", "--address", "auto", "--workers", "4"),
    ]
    assert job.files == {}
    assert not job.is_name, "a part of its name depends on the data"
    assert prepared(request).identity == job.identity
    assert prepared(request, with_studies=True).entrypoint.startswith(
        "exec python -m studies.run depth_study "
    )


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (Request(study="depth_study"), "depth_study"),
        (Request(study="depth_study", profile="smoke"), "depth_study-smoke"),
        (Request(study="depth_study", settings={"replicates": 4}, name="mine"), "mine"),
    ],
)
def test_a_name_that_is_known_is_the_jobs(request_: Request, name: str) -> None:
    assert (prepared(request_).name, prepared(request_).is_name) == (name, True)


def test_a_study_that_is_not_valid_is_refused_here() -> None:
    with pytest.raises(UsageError, match="no such study"):
        prepared(Request(study="depth_stud"))
    with pytest.raises(UsageError, match="replicates must be"):
        prepared(Request(study="depth_study", settings={"replicates": -1}))


@pytest.mark.parametrize("storage", [None, "sqlite:///mine.db"])
def test_a_storage_that_ray_would_throw_away_is_refused(storage: str | None) -> None:
    with pytest.raises(UsageError) as raised:
        prepared(Request(study="depth_study"), storage=storage)
    assert "which Ray throws away" in raised.value.message
    assert "postgresql://USER@HOST/DATABASE" in raised.value.advice


@pytest.mark.parametrize("output", [None, "runs"])
def test_an_output_that_ray_would_throw_away_is_refused(output: str | None) -> None:
    with pytest.raises(UsageError) as raised:
        prepared(Request(study="depth_study"), output=output)
    assert "which Ray throws away" in raised.value.message
    assert "absolute path" in raised.value.advice


def test_a_file_on_the_head_is_told_to_be_there() -> None:
    job = prepared(Request(study="depth_study"), storage="sqlite:////shared/studies.db")
    assert "--storage sqlite:////shared/studies.db" in job.entrypoint
    assert any("the commands that watch it work there" in note for note in job.notes)


def test_a_password_stays_here_and_what_to_do_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIES_STORAGE", f"postgresql://ann:{PASSWORD}@db/studies?sslpassword={PASSWORD}")
    job = prepared(Request(study="depth_study"), storage=None)
    assert f"--storage {STORAGE} " in job.entrypoint
    assert PASSWORD not in repr(job)
    (note,) = job.notes
    assert "PGPASSFILE" in note
    with pytest.raises(UsageError, match="--storage holds a password"):
        prepared(Request(study="depth_study"), storage=f"postgresql://ann:{PASSWORD}@db/studies")


def test_a_study_of_ones_own_takes_along_what_it_imports_and_its_table_and_nothing_else(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "mine"
    (folder / "parts").mkdir(parents=True)
    (folder / "small.py").write_text(
        STUDY.replace("from search", "from parts import a\nimport b\nfrom search")
    )
    (folder / "parts" / "__init__.py").touch()
    (folder / "parts" / "a.py").touch()
    (folder / "b.py").write_text("import torch\n")
    (folder / "other.py").touch()
    (folder / ".env").write_text(PASSWORD)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "flowers.csv").write_text("a,b\n")
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "list.txt").touch()
    settings = {"dataset": "csv:tables/flowers.csv", "target": "b"}
    job = prepared(Request(study="mine/small.py", settings=settings), sent=("words/",))
    assert shlex.split(job.entrypoint)[3] == "./small.py"
    assert set(job.files) == {
        "small.py",
        "parts/__init__.py",
        "parts/a.py",
        "b.py",
        "tables/flowers.csv",
        "words",
    }
    with job_folder(job.files, with_studies=True) as made:
        assert made is not None
        assert (made / "small.py").read_text().startswith('"""Does a second layer help?')
        assert (made / "studies" / "run.py").is_file()
        assert sorted(os.listdir(made)) == sorted(
            [
                "b.py",
                "parts",
                "reports",
                "search_spaces",
                "small.py",
                "studies",
                "tables",
                "trainables",
                "words",
            ]
        )
        assert list(made.rglob("__pycache__")) == []
    assert not made.exists()


def test_what_is_named_is_sent_whatever_lists_of_ignored_files_say(tmp_path: Path) -> None:
    """Ray obeys those lists, and would leave the files out without a word."""
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / ".gitignore").write_text("*\n")
    (tmp_path / "words" / ".rayignore").write_text("*\n")
    (tmp_path / "words" / "list.txt").touch()
    job = prepared(Request(study="depth_study"), sent=("words",))
    with job_folder(job.files, with_studies=False) as made:
        assert made is not None
        assert os.listdir(made / "words") == ["list.txt"]


def test_a_file_that_is_sent_does_not_take_the_place_of_the_studys(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "small.py").write_text(STUDY)
    (tmp_path / "small.py").write_text("another\n")
    job = prepared(Request(study="mine/small.py"), sent=("small.py",))
    with job_folder(job.files, with_studies=False) as made:
        assert made is not None
        assert (made / "small.py").read_text() == STUDY


def test_a_link_that_leads_nowhere_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "gone").symlink_to("nowhere")
    job = prepared(Request(study="depth_study"), sent=("words",))
    with (
        pytest.raises(StudiesError, match="words/gone cannot be sent"),
        job_folder(job.files, with_studies=False),
    ):
        pass


@pytest.mark.parametrize("path", ["../x.csv", "/etc/passwd", ".", "gone.csv"])
def test_what_cannot_be_taken_along_is_refused(path: str) -> None:
    with pytest.raises(UsageError) as raised:
        prepared(Request(study="depth_study"), sent=(path,))
    assert path in raised.value.message


def test_a_table_on_the_cluster_is_told_to_be_there() -> None:
    settings = {"dataset": "csv:/shared/flowers.csv", "target": "b"}
    job = prepared(Request(study="depth_study", settings=settings))
    assert job.files == {}
    assert any("/shared/flowers.csv must lie on the machine" in note for note in job.notes)


def a_job(
    job_id: str, status: JobStatus = JobStatus.RUNNING, identity: str = "me", code: int | None = None
) -> Job:
    return Job(submission_id=job_id, status=status, message="", exit_code=code, metadata={IDENTITY: identity})


def test_a_job_that_runs_is_followed_and_one_that_has_ended_is_tried_again() -> None:
    job = prepared(Request(study="depth_study"))
    mine = job.identity
    attempts = submission._attempts
    assert attempts(job, []) == (None, "studies-depth_study-1")
    ended = a_job("studies-depth_study-1", JobStatus.FAILED, mine)
    assert attempts(job, [ended]) == (None, "studies-depth_study-2")
    runs = a_job("studies-depth_study-10", JobStatus.PENDING, mine)
    assert attempts(job, [runs, ended])[0] == "studies-depth_study-10"
    others = [a_job("studies-depth_study-3"), a_job("studies-depth_study-smoke-7", identity=mine), a_job("x")]
    assert attempts(job, others) == (None, "studies-depth_study-4")


class AlmostRay:
    """A server and Ray's client in one: a job that is submitted runs, and one of another command may be faster."""

    url = "http://head:8265"

    def __init__(self, *, taken_by: str | None = None, parts: Sequence[str] = ()) -> None:
        """The first submission comes too late where another command, of this identity, is faster."""
        self.listed: list[Job] = []
        self._taken_by, self._parts = taken_by, list(parts)

    def version(self) -> str:
        return "2.60.0"

    def jobs(self) -> list[Job]:
        return self.listed

    def submit(
        self, entrypoint: str, *, submission_id: str, metadata: Mapping[str, str], **_: object
    ) -> None:
        identity, self._taken_by = self._taken_by, None
        self.listed.append(a_job(submission_id, identity=identity or metadata[IDENTITY]))
        if identity is not None:
            raise TakenError("taken", "Again.")

    def follow(self, job_id: str, write: Callable[[str], None], *, skip: int) -> int:
        """Hand out one more part, after which the connection is lost."""
        read = "".join(self._parts[: self._num_lost + 1])
        write(read[skip:])
        return len(read)

    def job(self, job_id: str) -> Job:
        self._num_lost += 1
        if self._num_lost == 1:
            raise UnreachableError("no job server answers", "Wait.")
        has_ended = self._num_lost >= len(self._parts)
        return a_job(job_id, JobStatus.SUCCEEDED if has_ended else JobStatus.RUNNING, code=0)

    def log(self, job_id: str) -> str:
        has_ended = self._num_lost >= len(self._parts)
        return "".join(self._parts[: self._num_lost]) + ("last" if has_ended else "")

    def wait_for_answer(self, max_seconds: float) -> None:
        """There is one."""

    _num_lost = 0


def submitted_to(almost: AlmostRay, monkeypatch: pytest.MonkeyPatch) -> Submitted:
    monkeypatch.setattr(submission, "Submitter", lambda server: server)
    return submission.submit(prepared(Request(study="depth_study")), almost, lambda step: None)  # type: ignore[arg-type]


def test_a_command_that_comes_too_late_follows_the_job_of_the_same_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = prepared(Request(study="depth_study")).identity
    same = submitted_to(AlmostRay(taken_by=mine), monkeypatch)
    assert (same.id, same.is_new) == ("studies-depth_study-1", False)
    other = submitted_to(AlmostRay(taken_by="of somebody else"), monkeypatch)
    assert (other.id, other.is_new) == ("studies-depth_study-2", True)


def test_a_connection_that_is_lost_is_made_again_and_nothing_is_shown_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = submitted_to(AlmostRay(parts=["one\n", "two\n", "three\n"]), monkeypatch)
    written, told = list[str](), list[str]()
    assert job.follow(written.append, told.append).exit_code == 0
    assert "".join(written) == "one\ntwo\nthree\nlast"
    assert told == ["no job server answers; the job goes on, and is followed again once there is an answer"]


def test_a_log_comes_without_a_connection_that_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """As through a proxy that lets none through: nothing is held back until the job ends."""
    almost = AlmostRay(parts=["one\n", "two\n", "three\n", "four\n"])
    monkeypatch.setattr(almost, "follow", lambda job_id, write, *, skip: 0)
    job = submitted_to(almost, monkeypatch)
    written = list[tuple[int, str]]()
    job.follow(lambda text: written.append((almost._num_lost, text)), lambda text: None)
    assert written == [(2, "one\ntwo\n"), (3, "three\n"), (4, "four\nlast")]


def test_a_job_that_a_cluster_has_and_does_not_list_is_not_submitted_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    almost = AlmostRay()

    def refuse(*_: object, **__: object) -> None:
        raise TakenError("taken", "Again.")

    monkeypatch.setattr(almost, "submit", refuse)
    with pytest.raises(StudiesError, match="a job studies-depth_study-1, and does not list it"):
        submitted_to(almost, monkeypatch)


def test_the_server_that_was_given_is_known_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not known_servers.is_known(AlmostRay.url)
    submitted_to(AlmostRay(), monkeypatch)
    assert known_servers.is_known(AlmostRay.url)


def test_a_cluster_that_was_started_anew_knows_the_job_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    job = submitted_to(AlmostRay(parts=["one\n"]), monkeypatch)

    def forget(job_id: str) -> Job:
        raise UnknownJobError("no such job", "See its jobs.")

    monkeypatch.setattr(job.server, "job", forget)
    with pytest.raises(StudiesError, match="was started anew") as raised:
        job.follow(lambda text: None, lambda text: None)
    assert raised.value.advice == "Go on with: studies submit ..."


def ended_with(job: Job, monkeypatch: pytest.MonkeyPatch, recorded: RecordedRun | None = None) -> int:
    monkeypatch.setattr(submission, "recorded_run", lambda storage, job_id: recorded)
    prepared_job = prepared(Request(study="depth_study"))
    # Neither the server nor Ray's client is asked for an exit code.
    submitted = Submitted(JobServer("http://head:8265"), None, prepared_job, job.submission_id, is_new=True)  # type: ignore[arg-type]
    return submitted.exit_code(job, STORAGE)


def test_the_drivers_exit_code_is_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    for code in (0, 1, 3, 143):
        job = a_job("studies-depth_study-1", JobStatus.FAILED, code=code)
        assert ended_with(job, monkeypatch) == code


def test_a_cluster_without_studies_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StudiesError, match="--send-studies"):
        ended_with(a_job("studies-depth_study-1", JobStatus.FAILED, code=127), monkeypatch)


def test_where_ray_has_lost_sight_of_a_job_the_storage_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lost = a_job("studies-depth_study-1", JobStatus.FAILED)
    with Store.open(f"sqlite:///{tmp_path}/studies.db") as store:
        study = new_study(store)
        run_events.note_start(store, study.id, {run_events.RAY_JOB: lost.submission_id})
        store.set_study_state(study.id, StudyState.RUNNING)
        with store.hold(study.id):
            held = recorded_run(f"sqlite:///{tmp_path}/studies.db", lost.submission_id)
            assert held is not None
            assert held.holder is not None
            assert held.holder.process == os.getpid()
        assert recorded_run(f"sqlite:///{tmp_path}/studies.db", "studies-other-1") is None
    with pytest.raises(StudiesError, match=f"process {os.getpid()} on .* holds depth_study"):
        ended_with(lost, monkeypatch, held)
    done = RecordedRun(name="depth_study", state=StudyState.COMPLETE, holder=None)
    assert ended_with(lost, monkeypatch, done) == 0
    cut_off = RecordedRun(name="depth_study", state=StudyState.RUNNING, holder=None)
    for recorded in (cut_off, None):
        with pytest.raises(StudiesError, match="was cut off") as raised:
            ended_with(lost, monkeypatch, recorded)
        assert raised.value.advice == "Go on with: studies submit ..."
    stopped = a_job("studies-depth_study-1", JobStatus.STOPPED, code=-9)
    with pytest.raises(StudiesError, match="was stopped") as raised:
        ended_with(stopped, monkeypatch)
    assert raised.value.exit_code == 143
