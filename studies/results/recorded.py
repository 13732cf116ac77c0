"""A recorded study: its row, its trials, replicates, epochs and gradients as frames, its contrasts and figures."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from studies.base.errors import StudiesError
from studies.base.states import TrialState
from studies.database.lookup import find
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.planning.in_python import told_in_python
from studies.storage.artifacts import BEST
from studies.storage.bringing import bring
from studies.storage.mirror import MODELS
from studies.storage.paths import Locations, locate

if TYPE_CHECKING:
    import pandas as pd

    from studies.database.frames.raw_rows import Table
    from studies.results.report_inputs import Findings
    from studies.results.shown import Card, StudyFigures
    from trainables.use.model import Model


@dataclass(frozen=True, repr=False)
class RecordedStudy:
    """A study in a storage; each method reads the storage again.

    >>> import studies
    >>> study = studies.load_study("depth_study-smoke")
    >>> study.row.question
    'Do more hidden layers help, and does that depend on dropout, batch normalisation or the optimizer?'
    """

    row: StudyRow
    storage: str
    _made: "dict[datetime, StudyFigures]" = field(default_factory=dict, init=False, compare=False)
    """The figures made last, by when the study had last changed."""

    def __repr__(self) -> str:
        return self._card().text("study")

    def _repr_html_(self) -> str:
        return self._card().html()

    @property
    def figures(self) -> "StudyFigures":
        """The figures of the study's page, by their names there: fresh matplotlib figures that may be changed.

        What they show is computed again once more has been recorded.

        >>> import studies
        >>> figure = studies.load_study("depth_study-smoke").figures["heat_map"]
        >>> [round(float(inches)) for inches in figure.get_size_inches()][0] > 4
        True
        """
        from reports.pages.page import page_figures
        from studies.results.report_inputs import explaining_contradictions
        from studies.results.shown import StudyFigures

        with told_in_python(), Store.open(self.storage, create=False) as store:
            recorded_at = find(store, self.row.name).updated_at
        if recorded_at not in self._made:
            with self._findings() as found, explaining_contradictions(self.row.name):
                made = StudyFigures(page_figures(found.inputs, found.results))
            self._made.clear()
            self._made[recorded_at] = made
        return self._made[recorded_at]

    def contrasts(self, *, at_best: bool = False) -> "pd.DataFrame":
        """Return one row for each contrast of report.json: levels averaged over the other factors, or `at_best`.

        An `estimate` is the outcome of `level_b` minus that of `level_a`; losses in nats, error rates fractions.

        >>> import studies
        >>> found = studies.load_study("depth_study-smoke").contrasts()
        >>> sorted(found["factor"].unique().tolist())
        ['batch_norm', 'depth', 'dropout']
        """
        from reports.pages.json_report import json_report
        from studies.results.report_inputs import explaining_contradictions
        from studies.results.shown import contrasts_frame

        with self._findings() as found, explaining_contradictions(self.row.name):
            return contrasts_frame(json_report(found.inputs, found.results), at_best=at_best)

    def best(self, *, ensemble: bool = False, calibrated: bool = False, trust_code: bool = False) -> "Model":
        """Return the best model, as `studies.load_model` does; raise UsageError if its folder is not there.

        >>> import studies
        >>> studies.load_study("depth_study-smoke").best().classes_[:3].tolist()
        ['0', '1', '2']
        """
        from studies.results.saved_models import load as load_model

        with told_in_python():
            with Store.open(self.storage, create=False) as store:
                folder = bring(self.row, self._locations(store), f"{MODELS}/") / MODELS / BEST
            return load_model(folder, ensemble=ensemble, calibrated=calibrated, trust_code=trust_code)

    def trials(self) -> "pd.DataFrame":
        """Return one row for each trial, with its factors and nuisances; `trial_number` is that of the other frames.

        >>> import studies
        >>> trials = studies.load_study("depth_study-smoke").trials()
        >>> len(trials), sorted(trials["depth"].unique().tolist()), trials["learning_rate"].gt(0).all().item()
        (32, [3, 7], True)
        """
        from reports.pages.page import with_trial_key
        from studies.database.frames import frames
        from studies.database.schema import tables

        with self._sound(tables.trial) as store:
            return with_trial_key(frames.trials(store, self.row.id))

    def replicates(self) -> "pd.DataFrame":
        """Return one row for each network that has ended; losses in nats, accuracies fractions.

        >>> import studies
        >>> networks = studies.load_study("depth_study-smoke").replicates()
        >>> len(networks), networks["val_accuracy"].between(0, 1).all().item()
        (96, True)
        """
        from studies.database.frames import frames
        from studies.database.schema import tables

        with self._sound(tables.replicate) as store:
            return frames.replicates(store, self.row.id)

    def epochs(self) -> "pd.DataFrame":
        """Return one row for each network and epoch.

        >>> import studies
        >>> epochs = studies.load_study("depth_study-smoke").epochs()
        >>> epochs["epoch"].min().item(), epochs["epoch"].max().item()
        (1, 18)
        """
        from studies.database.frames import frames
        from studies.database.schema import tables

        with self._sound(tables.epoch) as store:
            return frames.epochs(store, self.row.id)

    def gradients(self) -> "pd.DataFrame":
        """Return one row for each network, recorded epoch (0: the initialisation) and hidden layer.

        >>> import studies
        >>> gradients = studies.load_study("depth_study-smoke").gradients()
        >>> gradients["layer"].min().item(), gradients["layer"].max().item()
        (1, 7)
        """
        from studies.database.frames import frames
        from studies.database.schema import tables

        with self._sound(tables.layer_gradient) as store:
            return frames.gradients(store, self.row.id)

    @contextmanager
    def _sound(self, *tables_read: "Table") -> Iterator[Store]:
        """Open the storage; raise DamagedError that names the row if one that is to be read is damaged."""
        from studies.database.schema import tables
        from studies.verification.damage import explaining_damage, refuse_damaged

        with (
            told_in_python(),
            Store.open(self.storage, create=False) as store,
            explaining_damage(store, self.row.name),
        ):
            refuse_damaged(store, self.row.name, only=(tables.trial, *tables_read))
            yield store

    @contextmanager
    def _findings(self) -> "Iterator[Findings]":
        """Read everything that the report is made from."""
        from studies.results.report_inputs import Findings
        from studies.verification.damage import explaining_damage, refuse_damaged

        with (
            told_in_python(),
            Store.open(self.storage, create=False) as store,
            explaining_damage(store, self.row.name),
        ):
            refuse_damaged(store, self.row.name)
            yield Findings.of(store, find(store, self.row.name))

    def _folder(self, store: Store) -> Path:
        """Return the folder of the study's files on this machine."""
        return self._locations(store).folder(self.row.name)

    def _locations(self, store: Store) -> Locations:
        """Return where the study's files lie."""
        from studies.storage.remembered import remembering

        return remembering(store, self.row, replace(locate(), storage=self.storage))

    def _card(self) -> "Card":
        """Return what a notebook shows; what cannot be read is left out, as showing an object must not fail."""
        from studies.results.made_report import find_report
        from studies.results.shown import Card

        row, folder, verdict, rows = self.row, None, None, []
        try:
            with Store.open(self.storage, create=False) as store:
                row = find(store, self.row.name)
                folder = self._folder(store)
                counts = store.trial_summary(row.id)
                made = find_report(folder, row)
        except StudiesError as error:
            rows.append(("problem", error.message))
        else:
            by_state = {state: sum(each[state] for each in counts.values()) for state in TrialState}
            ended = sum(number for state, number in by_state.items() if state.has_ended)
            rows.append(("trials", f"{ended} of {sum(by_state.values())} begun have ended"))
            if made is not None:
                verdict = made.verdict
                rows += [] if made.is_current else [("note", "the page is older than what is recorded")]
            else:
                folder = None
        return Card(
            name=row.name,
            state=str(row.state),
            question=row.question,
            verdict=verdict,
            rows=rows,
            folder=folder,
        )


def load(name: str, *, storage: str | None = None) -> RecordedStudy:
    """Return the study called `name`; raise UsageError that lists the studies if there is none."""
    return load_from(locate(storage).storage, name)


def load_from(url: str, name: str) -> RecordedStudy:
    """Return the study called `name` in the storage at `url`, which may hold a password, as `load` does."""
    from studies.verification.damage import explaining_damage

    with Store.open(url, create=False) as store, explaining_damage(store, name):
        return RecordedStudy(find(store, name), url)
