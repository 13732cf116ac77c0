"""A study as a job of a Ray cluster: what is handed on, which job it is, and how it ended.

A job is one attempt at a study. The study itself is in its storage: its lease says whether it runs, whatever Ray says.
"""

import hashlib
import json
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from studies.base.durations import parse_budget
from studies.base.errors import StudiesError, UsageError
from studies.base.states import StudyState
from studies.base.wording import printable
from studies.cluster.job_server import Job, JobServer, JobStatus, UnknownJobError, UnreachableError
from studies.cluster.submitting import Submitter, TakenError
from studies.database.engines.address import parse, secrets, without_secrets
from studies.database.rows import Holder
from studies.database.store import Store
from studies.definition.overrides import study_name
from studies.execution.detaching import watching
from studies.execution.job_files import files_of, job_folder, table_of
from studies.planning.request import Draft, Request, draft
from studies.planning.resources import Resources
from studies.run_log import run_events
from studies.storage import known_servers
from studies.storage.paths import DEFAULT_STORAGE, Locations
from studies.user_files.loader import names_file
from trainables.kernels.cache import OFF

if TYPE_CHECKING:
    from studies.base.steps import Tell

HANDED_ON: Final = (OFF,)
"""Environment variables that the job gets from here, where they are set. Folders (STUDIES_DATA) are the cluster's own,
and passwords are never sent: everybody who reaches the dashboard reads a job's environment."""
PREFIX: Final = "studies"
IDENTITY, COMMAND = "studies_identity", "studies_command"
"""Keys of a job's metadata: what makes two commands the same, and the command that submitted the job."""
SECONDS_TO_COME_BACK: Final = 600.0
"""How long a cluster that does not answer is waited for."""
SECONDS_BETWEEN_CONNECTIONS: Final = 1.0
NOT_FOUND: Final = 127
"""Exit code of a shell that finds no such command."""
MOST_STUDIES: Final = 200
"""Most studies of a storage in which a job's is looked for, the latest ones."""


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A checked request as a job: its command on the cluster, what makes it the same job, and what it takes along.

    `name` is the study's name, or stands in for it in the job's id where the name depends on the data; `is_name` says
    which. `notes` are told to the user.
    """

    name: str
    is_name: bool
    entrypoint: str
    command: str
    identity: str
    files: Mapping[str, Path]
    with_studies: bool
    notes: Sequence[str]


def prepare(
    request: Request,
    locations: Locations,
    resources: Resources,
    *,
    command: str,
    sent: Sequence[str],
    with_studies: bool,
    take_over: bool,
) -> Submission:
    """Check a request as `studies run` does before it loads data; return it as a job. Nothing is sent.

    Raises UsageError for a study that is not valid, and for a storage or an output folder that the cluster would throw
    away with the job's own folder.
    """
    drafted = draft(request)
    storage, notes = _storage(locations)
    output = _output(locations)
    words = [
        *_job_request(request).arguments(),
        "--storage",
        storage,
        "--output",
        output,
        *resources.arguments(),
    ]
    words += ["--take-over"] if take_over else []
    table = table_of(drafted)
    if table is not None and table.is_absolute():
        notes.append(f"the table {table} must lie on the machine of the cluster that the job runs on")
    program = ["python", "-m", "studies.run"] if with_studies else ["studies", "run"]
    identity = hashlib.sha256(json.dumps(words).encode()).hexdigest()
    return Submission(
        name=_name(drafted, identity),
        is_name=_is_named(request),
        entrypoint=f"exec {shlex.join([*program, *words])}",
        command=command,
        identity=identity,
        files=files_of(drafted, sent),
        with_studies=with_studies,
        notes=notes,
    )


def _job_request(request: Request) -> Request:
    """Return the request as it is given in the job's folder, at whose top the study's file lies."""
    from dataclasses import replace

    if not names_file(request.study):
        return request
    return replace(request, study=f"./{Path(request.study).name}")


def _is_named(request: Request) -> bool:
    is_variant = bool(request.settings) or request.seed is not None or request.budget is not None
    return request.name is not None or not is_variant


def _name(drafted: Draft, identity: str) -> str:
    """Return the study's name; where that has a part of the plan's hash, which depends on the data, a stand-in."""
    request = drafted.request
    return request.name or study_name(
        drafted.base,
        profile=request.profile,
        settings=request.settings,
        seed_given=request.seed is not None,
        plan_hash=identity,
        budget_seconds=None if request.budget is None else parse_budget(request.budget),
    )


def _storage(locations: Locations) -> tuple[str, list[str]]:
    """Return the storage's URL as the job gets it, without a password, and notes; UsageError for one that goes away."""
    url = parse(locations.storage)
    if url.get_backend_name() == "sqlite":
        given = (
            "no storage is given" if locations.storage == DEFAULT_STORAGE else f"storage {locations.storage}"
        )
        if not os.path.isabs(url.database or ""):
            raise UsageError(
                [f"{given}: a file in the job's own folder, which Ray throws away"],
                "Give --storage postgresql://USER@HOST/DATABASE, which this machine reaches as well, or a file on the "
                "cluster's head that stays: sqlite:////ABSOLUTE/PATH.db",
            )
        return without_secrets(locations.storage), [
            f"the storage is the file {url.database} of the machine that the job runs on; the commands that watch it "
            "work there"
        ]
    if not secrets(url) and "PGPASSWORD" not in os.environ:
        return without_secrets(locations.storage), []
    return without_secrets(locations.storage), [
        "the storage's password is not sent, as everybody who reaches the dashboard could read it: the cluster's head "
        "needs it in a file (mode 600) that PGPASSFILE names where Ray is started, or in its ~/.pgpass"
    ]


def _output(locations: Locations) -> str:
    output = str(locations.output)
    if locations.output_is_given and (os.path.isabs(output) or "://" in output):
        return output
    what = f"output folder {output}" if locations.output_is_given else "no output folder is given"
    raise UsageError(
        [f"{what}: reports and models would lie in the job's own folder, which Ray throws away"],
        "Give --output an absolute path: a folder of the cluster's head that stays, or one that its machines share.",
    )


@final
class Submitted:
    """A job of this study on a cluster: submitted just now, or one that runs already (`is_new` says which)."""

    def __init__(
        self, server: JobServer, submitter: Submitter, submission: Submission, job_id: str, *, is_new: bool
    ):
        """Its job has the id `job_id`."""
        self.server, self.id, self.is_new = server, job_id, is_new
        self._submitter, self._submission = submitter, submission

    def follow(self, write: Callable[[str], None], tell: "Tell") -> Job:
        """Hand `write` what the driver prints until the job has ended; return how Ray says that it ended.

        A connection that is lost is made again, which `tell` is told, and what it did not bring is asked for;
        raises UnreachableError if that takes too long, and StudiesError if the cluster was started anew.
        """
        num_read = 0
        while True:
            num_read = max(num_read, self._submitter.follow(self.id, write, skip=num_read))
            try:
                job = self.server.job(self.id)
                # Some proxies let no connection through that stays open: then everything comes this way.
                if rest := self.server.log(self.id)[num_read:]:
                    write(rest)
                    num_read += len(rest)
                if job.status.has_ended:
                    return job
            except UnreachableError as error:
                tell(f"{error.message}; the job goes on, and is followed again once there is an answer")
            except UnknownJobError as error:
                raise StudiesError(
                    f"the cluster at {self.server.url} was started anew, and knows the job {self.id} no more; "
                    "everything recorded is kept",
                    f"Go on with: {self._submission.command}",
                ) from error
            self._wait_for_answer()
            time.sleep(SECONDS_BETWEEN_CONNECTIONS)

    def _wait_for_answer(self) -> None:
        try:
            self.server.wait_for_answer(SECONDS_TO_COME_BACK)
        except UnreachableError as error:
            raise UnreachableError(
                error.message, f"The job may go on. Follow it again with: {self._submission.command}"
            ) from error

    def watching(self, arguments: Sequence[str]) -> list[str]:
        """Return the commands that watch and stop it; `arguments` are the options that find the study's storage."""
        name = self._submission.name if self._submission.is_name else "NAME"
        return [
            *([] if self._submission.is_name else [f"Name    {shlex.join(['studies', 'list', *arguments])}"]),
            *watching(name, arguments),
            f"        or {shlex.join(['ray', 'job', 'stop', self.id, '--address', self.server.url])}",
        ]

    def exit_code(self, job: Job, storage: str) -> int:
        """Return the driver's exit code; raise StudiesError, with what to do, where the driver did not end by itself.

        Ray may have lost sight of a driver that lives, or of one that was done: what the storage says counts, if it can
        be asked from here.
        """
        if job.exit_code == NOT_FOUND and not self._submission.with_studies:
            raise StudiesError(
                f"the job {self.id} found no command `studies` on the cluster",
                "Install Studies in the environment that Ray was started from, with its bin folder on PATH; or send it "
                "along, if its requirements are installed there: --send-studies",
            )
        if job.exit_code is not None and job.exit_code >= 0:
            return job.exit_code
        again = f"Go on with: {self._submission.command}"
        recorded = recorded_run(storage, self.id)
        if recorded is not None and recorded.holder is not None:
            holder = recorded.holder
            raise StudiesError(
                f"Ray says that the job {self.id} has ended ({job.status.lower()}), but its run goes on: process "
                f"{holder.process} on {holder.host} holds {recorded.name}",
                f"See how it goes: studies status {recorded.name} --watch",
            )
        if recorded is not None and recorded.state is StudyState.COMPLETE:
            return 0
        if job.status is JobStatus.STOPPED:
            error = StudiesError(f"the job {self.id} was stopped; everything recorded is kept", again)
            error.exit_code = 143
            raise error
        said = (job.message.splitlines() or ["Ray does not say why"])[0]
        raise StudiesError(f"the job {self.id} was cut off ({said}); everything recorded is kept", again)


def submit(submission: Submission, server: JobServer, tell: "Tell") -> Submitted:
    """Submit the job, or find the one that runs already, as when the same command was given twice.

    Raises StudiesError, with what to do, if the cluster cannot be reached, refuses the token or takes no jobs.
    """
    tell(f"asking the cluster at {server.url}")
    version = server.version()
    tell(f"loading Ray's client; the cluster has Ray {version}")
    known_servers.remember(server.url)
    submitter = Submitter(server)
    taken = set[str]()
    while True:
        running, next_id = _attempts(submission, server.jobs())
        if running is not None:
            return Submitted(server, submitter, submission, running, is_new=False)
        if next_id in taken:
            raise StudiesError(
                f"the Ray cluster at {server.url} says that it has a job {next_id}, and does not list it",
                "Give the command again; if that stays so, see dashboard.log in the head's "
                "/tmp/ray/session_latest/logs.",
            )
        tell(f"submitting {next_id}")
        try:
            with job_folder(submission.files, with_studies=submission.with_studies) as folder:
                submitter.submit(
                    submission.entrypoint,
                    submission_id=next_id,
                    metadata={
                        IDENTITY: submission.identity,
                        COMMAND: submission.command,
                        run_events.SUBMITTED_TO: server.url,
                    },
                    working_dir=folder,
                    variables={name: os.environ[name] for name in HANDED_ON if name in os.environ},
                )
        except TakenError:
            taken.add(
                next_id
            )  # by another command just now: most likely the same one, whose job is then followed
            continue
        return Submitted(server, submitter, submission, next_id, is_new=True)


def _attempts(submission: Submission, jobs: Sequence[Job]) -> tuple[str | None, str]:
    """Return the job of the same command that runs, if one does, and the id of the next attempt."""
    pattern = re.compile(rf"{PREFIX}-{re.escape(submission.name)}-(\d{{1,9}})")
    numbered = {int(found[1]): job for job in jobs if (found := pattern.fullmatch(job.submission_id))}
    running = [
        job.submission_id
        for _, job in sorted(numbered.items())
        if job.metadata.get(IDENTITY) == submission.identity and not job.status.has_ended
    ]
    return (running[-1] if running else None), f"{PREFIX}-{submission.name}-{max(numbered, default=0) + 1}"


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """What a storage says of the study that a job has run."""

    name: str
    state: StudyState
    holder: Holder | None


def recorded_run(storage: str, job_id: str) -> RecordedRun | None:
    """Return the study that a job runs or has run last, as its storage says; None if it cannot be asked from here."""
    try:
        opened = Store.open_existing(storage)
        if opened is None:
            return None
        with opened as store:
            for study in list(store.studies())[:MOST_STUDIES]:
                starts = run_events.started_with(store.events(study.id))
                if starts and starts[-1].get(run_events.RAY_JOB) == job_id:
                    return RecordedRun(name=study.name, state=study.state, holder=store.holder(study.id))
    except StudiesError as error:
        print(printable(f"note: the storage cannot be asked from here: {error.message}"), file=sys.stderr)
    return None
