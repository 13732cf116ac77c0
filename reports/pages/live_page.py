"""OUTPUT/NAME/live.html: how a study's run goes, made from plain data while it goes on, as one self-contained page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from reports.pages.rendering import environment, page_parts, write_page
from reports.plots.style.theme import Theme

SECONDS_BETWEEN_PAGES: Final = 60
"""A run writes the page at most this often, and an open page loads itself again this often."""
MINUTES_OF_SILENCE: Final = 3
"""A page of a running study that is older than this was left by a run that was killed or hangs."""


class Stage(StrEnum):
    """How far a run is, in the words of the page."""

    STARTING = "starting"
    RUNNING = "running"
    REPORTING = "its report is being made"
    INTERRUPTED = "interrupted"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether the run that wrote the page has ended before its study was complete."""
        return self in (Stage.INTERRUPTED, Stage.FAILED)


@dataclass(frozen=True, kw_only=True)
class PhaseProgress:
    """A phase: how many of its planned trials have ended."""

    name: str
    ended: int
    planned: int


@dataclass(frozen=True, kw_only=True)
class OpenQuestions:
    """How the questions stood after a look: the sentence that says so, and their names by how they stand."""

    after: str
    answered: Sequence[str] = ()
    open: Sequence[str] = ()
    withheld: Sequence[str] = ()
    unresolved: Sequence[str] = ()
    goes_on: str | None = None
    """What is trained for the open ones, None where nothing is."""

    @property
    def groups(self) -> list[tuple[str, Sequence[str]]]:
        """Those that there are, each with its heading."""
        named = [
            ("answered", self.answered),
            ("open", self.open),
            ("withheld", self.withheld),
            ("not resolved", self.unresolved),
        ]
        return [(heading, names) for heading, names in named if names]


@dataclass(frozen=True, kw_only=True)
class Leader:
    """A cell, or a configuration of a study without cells: its best score so far, as text with its unit.

    `confirmed` is the score of the same configuration trained again with fresh seeds, None before it is there.
    """

    name: str
    tuned: str
    score: str
    epoch: int
    confirmed: str | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingTrial:
    """A trial in a worker: `epoch` is the last one that it reported, 0 before the first."""

    number: int
    phase: str
    epoch: int
    configuration: str


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A trial that failed, or whose worker was lost, and what happened in one line."""

    number: int
    words: str


@dataclass(frozen=True, kw_only=True)
class LiveStudy:
    """What the page says of a study at the moment `as_of` (UTC).

    `trials` counts ended trials as text, `networks` those that ended, are planned and diverged. Seconds are of this
    run; `seconds_left` is None while no pace is known. `score` names what leaders are ranked by, `leaders` are the
    first of `num_leaders`, best first; `running` and `failures` may be the first, `losses` the latest, of as many as
    their counts say. `dashboard` is the address of Ray's dashboard and the command that prints its token. `report` is
    the path of the report that is or will be made; `reported_at` is when the page that lies there now was made, None
    where none does.
    `why` says why a run that is over has ended. Commands are those of a shell: `status_command` says how a study is,
    `show_command` what every cell scored, and `report_command` makes a report of what is recorded.
    """

    study: str
    question: str
    stage: Stage
    as_of: datetime
    phases: Sequence[PhaseProgress]
    trials: str
    networks: tuple[int, int, int]
    elapsed_seconds: float
    seconds_left: float | None
    questions: OpenQuestions | None
    score: str
    has_cells: bool
    leaders: Sequence[Leader]
    num_leaders: int
    running: Sequence[TrainingTrial]
    num_running: int
    failures: Sequence[Trouble]
    num_failures: int
    losses: Sequence[Trouble]
    num_losses: int
    note: str | None
    dashboard: tuple[str, str | None] | None
    report: str
    reported_at: datetime | None
    why: str | None
    stop_command: str
    resume_command: str
    status_command: str
    show_command: str
    report_command: str

    @property
    def refresh(self) -> int | None:
        """After how many seconds the page loads itself again; None once its run is over."""
        return None if self.stage.is_over else SECONDS_BETWEEN_PAGES

    @property
    def is_kept(self) -> bool:
        """Whether a run keeps the page up to date from now on."""
        return self.stage in (Stage.STARTING, Stage.RUNNING)

    @property
    def title(self) -> str:
        """What a browser's tab says: how much is done, then the study."""
        ended, planned = (sum(getattr(each, name) for each in self.phases) for name in ("ended", "planned"))
        done = f"{100 * ended // planned} %" if planned else "0 %"
        return f"{self.stage if self.stage.is_over else done} – {self.study}"


def write_live(told: LiveStudy, path: Path) -> None:
    """Write the page of a run that goes on, or that ended before its study was complete; whole or not at all.

    Raises OSError, which names the file.
    """
    parts = page_parts(Theme(), {}, style="live.css", script="live.js")
    page = (
        environment()
        .get_template("live.html.j2")
        .render(told=told, stages=Stage, minutes_of_silence=MINUTES_OF_SILENCE, **parts)
    )
    write_page(path, page.encode())


def write_finished(path: Path, *, study: str, question: str, report: str) -> None:
    """Write the page of a finished study, which leads at once to `report`, an address relative to it.

    The same study gives the same bytes. Raises OSError, which names the file.
    """
    parts = page_parts(Theme(), {}, style="live.css", script="live.js")
    page = (
        environment()
        .get_template("live_finished.html.j2")
        .render(study=study, question=question, report=report, **parts)
    )
    write_page(path, page.encode())
