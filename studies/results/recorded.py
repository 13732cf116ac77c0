"""A recorded study: its row, and its trials, replicates, epochs and gradients as frames."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from studies.database.lookup import find
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.storage.artifacts import BEST
from studies.storage.paths import locate

if TYPE_CHECKING:
    import pandas as pd

    from studies.database.frames.raw_rows import Table
    from trainables.use.model import Model


@dataclass(frozen=True)
class RecordedStudy:
    """A study in a storage; each method reads the storage again.

    >>> import studies
    >>> study = studies.load_study("depth_study-smoke")
    >>> study.row.question
    'Do more hidden layers help, and does that depend on dropout, batch normalisation or the optimizer?'
    """

    row: StudyRow
    storage: str

    def best(self, *, ensemble: bool = False, calibrated: bool = False, trust_code: bool = False) -> "Model":
        """Return the best model, as `studies.load_model` does; raise UsageError if its folder is not there.

        >>> import studies
        >>> studies.load_study("depth_study-smoke").best().classes_[:3].tolist()
        ['0', '1', '2']
        """
        from studies.results.saved_models import load as load_model
        from studies.storage.remembered import remembering

        with Store.open(self.storage, create=False) as store:
            locations = remembering(store, self.row, replace(locate(), storage=self.storage))
        folder = locations.folder(self.row.name) / "models" / BEST
        return load_model(folder, ensemble=ensemble, calibrated=calibrated, trust_code=trust_code)

    def trials(self) -> "pd.DataFrame":
        """Return one row for each trial, with its factors and nuisances.

        >>> import studies
        >>> trials = studies.load_study("depth_study-smoke").trials()
        >>> len(trials), sorted(trials["depth"].unique().tolist()), trials["learning_rate"].gt(0).all().item()
        (32, [3, 7], True)
        """
        from studies.database.frames import frames
        from studies.database.schema import tables

        with self._sound(tables.trial) as store:
            return frames.trials(store, self.row.id)

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
    def _sound(self, table: "Table") -> Iterator[Store]:
        """Open the storage; raise DamagedError that names the row if one that is to be read is damaged."""
        from studies.database.schema import tables
        from studies.verification.damage import explaining_damage, refuse_damaged

        with Store.open(self.storage, create=False) as store, explaining_damage(store, self.row.name):
            refuse_damaged(store, self.row.name, only=(tables.trial, table))
            yield store


def load(name: str, *, storage: str | None = None) -> RecordedStudy:
    """Return the study called `name`; raise UsageError that lists the studies if there is none."""
    from studies.verification.damage import explaining_damage

    url = locate(storage).storage
    with Store.open(url, create=False) as store, explaining_damage(store, name):
        return RecordedStudy(find(store, name), url)
