"""A user's request to run a study, and the plan that it leads to."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from optuna.distributions import BaseDistribution

from studies.base.durations import parse_budget
from studies.base.errors import UsageError
from studies.base.messages import mistake
from studies.base.states import Until
from studies.definition import plan_versions, ranges
from studies.definition.dataset_compatibility import check_suits
from studies.definition.overrides import check_name, derive, held_instead, study_name
from studies.definition.settings import DEFAULT_PROFILE, written
from studies.definition.study import Study
from studies.planning.plan import Plan
from studies.user_files.interface_checks import check_user_code
from studies.user_files.loader import Found, load_definition
from trainables.user_code.code import UserCode

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Request:
    """A study of the catalog or a file, with its variant, name, budget, and the study that it grows from."""

    study: str
    profile: str = DEFAULT_PROFILE
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    name: str | None = None
    grow_from: str | None = None
    budget: str | None = None
    """The time that the study may take, such as `2h`; the study is reduced until its first look fits."""
    until: str = Until.CLEAR
    """How far a run goes; it is not part of the plan."""
    live: bool = True
    """Whether the run keeps a page that says how it goes up to date; it is not part of the plan."""
    made: Found | None = field(default=None, compare=False, repr=False)
    """The study itself, where it was made in Python; `study` is then the path of the file that will say the same."""

    def arguments(self) -> list[str]:
        """Return the command-line arguments that make the same request."""
        words = [self.study]
        if self.profile != DEFAULT_PROFILE:
            words += ["--profile", self.profile]
        for name, value in self.settings.items():
            words += ["--set", written(name, value, _plain)]
        if self.seed is not None:
            words += ["--seed", str(self.seed)]
        if self.name is not None:
            words += ["--name", self.name]
        if self.grow_from is not None:
            words += ["--grow-from", self.grow_from]
        if self.budget is not None:
            words += ["--budget", self.budget]
        if self.until != Until.CLEAR:
            words += ["--until", self.until]
        if not self.live:
            words += ["--no-live"]
        return words

    def command(self, door: str, *extra: str) -> str:
        """Return the shell command that makes the same request of the command `door`, such as "run"."""
        return shlex.join(["studies", door, *self.arguments(), *extra])

    def call(self, **others: Any) -> str:
        """Return the call in Python that makes the same request, with the other arguments that are given.

        Of a study that was made in Python the call is the one that the user has written, with what differs.

        >>> Request(study="depth_study", settings={"replicates": 20}).call(workers=2, storage=None)
        "studies.run_study('depth_study', settings={'replicates': 20}, workers=2)"
        """
        given: dict[str, Any] = {
            "settings": {name: _readable(value) for name, value in self.settings.items()}
        }
        given |= {name: getattr(self, name) for name in ("seed", "name", "budget")}
        given |= {"profile": None if self.profile == DEFAULT_PROFILE else self.profile}
        given |= {"until": None if self.until == Until.CLEAR else str(self.until)}
        given |= {"live": None if self.live else False} | others
        words = [f"{name}={value!r}" for name, value in given.items() if value not in (None, {})]
        return f"studies.run_study({', '.join(['...' if self.made else repr(self.study), *words])})"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A request with a validated definition, before its data is loaded.

    `version` is today's, except for a study recorded by an earlier one (`studies.execution.older_studies`).
    """

    request: Request
    base: str
    study: Study
    source_hash: str | None
    code: UserCode | None = None
    version: int = plan_versions.TODAY
    notes: tuple[str, ...] = ()
    """A line for each factor and nuisance of the study that the variant holds fixed."""

    def freeze(self, dataset: "Dataset") -> Plan:
        """Return the plan on `dataset`, under the requested name or the default one.

        Raises UsageError if the study does not suit the dataset.
        """
        check_suits(self.study, dataset)
        return self.plan(dataset.fingerprint)

    def plan(self, dataset_fingerprint: str) -> Plan:
        """Return the plan on the dataset with this fingerprint; the data need not be loaded."""
        plan = Plan(
            name="",
            study=self.study,
            seed=self.request.seed or 0,
            dataset_fingerprint=dataset_fingerprint,
            source_hash=self.source_hash,
            version=self.version,
            code=self.code,
        )
        name = self.request.name or study_name(
            self.base,
            profile=self.request.profile,
            settings=self.request.settings,
            seed_given=self.request.seed is not None,
            plan_hash=plan.hash,
            budget_seconds=None if self.request.budget is None else parse_budget(self.request.budget),
        )
        return replace(plan, name=name)


def draft(request: Request) -> Draft:
    """Check everything in a request that can be checked without data; raise UsageError with all mistakes."""
    base, study, source_hash, code = request.made or load_definition(request.study)
    mistakes: list[str] = []
    advice = ""
    try:
        _check_options(request)
    except UsageError as error:
        mistakes += error.mistakes
        advice = error.advice
    given = study
    try:
        study = derive(given, profile=request.profile, settings=request.settings)
    except UsageError as error:
        mistakes += error.mistakes
        advice = error.advice
    if mistakes:
        raise UsageError(mistakes, advice)
    check_user_code(study, code)
    notes = tuple(f"note: {line}" for line in held_instead(given, study))
    return Draft(request=request, base=base, study=study, source_hash=source_hash, code=code, notes=notes)


def _check_options(request: Request) -> None:
    if request.name is not None:
        check_name(request.name)
    if request.seed is not None and not 0 <= request.seed < 2**63:
        raise UsageError(
            [f"--seed: must be a whole number from 0 to 2^63 - 1; got {request.seed}"],
            "Choose another --seed.",
        )
    if request.until not in list(Until):
        raise UsageError(
            [mistake("until", f"one of {', '.join(Until)}", request.until, Until)], "Correct it."
        )
    if request.budget is not None:
        parse_budget(request.budget)


def _readable(value: Any) -> Any:
    """Return a value as a person writes it in Python."""
    return ranges.plain(value) if isinstance(value, BaseDistribution) else value


def _plain(value: object) -> object:
    """Return a value for JSON: a nuisance's distribution, given from Python, as its plain form."""
    return ranges.plain(value) if isinstance(value, BaseDistribution) else str(value)
