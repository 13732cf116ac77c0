"""The pages of `studies list`: the studies in the database, and those of the catalog."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding

from studies import catalog
from studies.base.states import Phase, TrialState
from studies.base.wording import count, counted, moment
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.definition.overrides import derive
from studies.definition.serialization import plain_study
from studies.definition.settings import DEFAULT_PROFILE
from studies.definition.study import Study
from studies.planning.plan_size import PlanSize
from studies.terminal.output import text
from studies.user_files.loader import load_definition

FIRST_RUN = "Run one (about a minute):\n  studies run depth_study --profile smoke"


def list_page(store: Store) -> RenderableType:
    """Return every study in the database, newest first: name, state, progress, start, and the question below."""
    studies = [*reversed(store.studies())]
    if not studies:
        return nothing_page()
    rows = [
        (
            study.name,
            str(study.state),
            _progress(study, store.trial_summary(study.id)),
            moment(study.created_at),
        )
        for study in studies
    ]
    heads = ("name", "state", "trials ended", "started")
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    parts: list[RenderableType] = [text(_aligned(heads, widths), "dim")]
    for study, row in zip(studies, rows, strict=True):
        parts += [text(_aligned(row, widths), "bold"), Padding(text(study.question), (0, 0, 0, 2))]
    return Group(*parts, "", text(f"More of one: studies status {studies[0].name}", "dim"))


def nothing_page() -> RenderableType:
    """Return the page of a database without studies."""
    return Group("No studies yet.", FIRST_RUN)


def catalog_page() -> RenderableType:
    """Return every study of the catalog with its question and the size of each profile."""
    parts: list[RenderableType] = []
    for name in catalog.names():
        study = load_definition(name)[1]
        parts += [text(name, "bold"), text(study.question), *_profiles(study), ""]
    return Group(
        *parts,
        FIRST_RUN,
        "Or a study of your own, which is a Python file:\n  studies run ./my_study.py",
    )


def _progress(study: StudyRow, summary: Mapping[Phase, Mapping[TrialState, int]]) -> str:
    ended = sum(amount for counts in summary.values() for state, amount in counts.items() if state.has_ended)
    return f"{count(ended)} of {count(PlanSize.of_record(study.plan).num_trials)}"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{each:<{width}}" for each, width in zip(row, widths, strict=True)).rstrip()


def _profiles(study: Study) -> Sequence[RenderableType]:
    return [
        text(f"  --profile {profile:<8} {_size(derive(study, profile=profile))}{_default(profile)}", "dim")
        for profile in sorted({DEFAULT_PROFILE, *study.profiles}, key=_order)
    ]


def _size(study: Study) -> str:
    size = PlanSize.of_record(plain_study(study) | {"looks": []})
    cells = f"{counted(size.num_cells, 'cell')}, " if study.has_cells else ""
    return f"{cells}{counted(size.num_trials, 'trial')}, {counted(size.num_networks, 'network')}"


def _default(profile: str) -> str:
    return " (the default)" if profile == DEFAULT_PROFILE else ""


def _order(profile: str) -> tuple[int, str]:
    """Return the key that sorts profiles: the usual ones from quick to long, then others by name."""
    usual = ("smoke", DEFAULT_PROFILE, "cluster")
    return (usual.index(profile) if profile in usual else len(usual), profile)
