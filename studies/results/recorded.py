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
    """A study in a storage; each method reads the storage again."""

    row: StudyRow
    storage: str

    def best(self, *, ensemble: bool = False, calibrated: bool = False, trust_code: bool = False) -> "Model":
        """Return the best model, as `studies.load_model` does; raise UsageError if its folder is not there."""
        from studies.results.saved_models import load as load_model
        from studies.storage.remembered import remembering

        with Store.open(self.storage, create=False) as store:
            locations = remembering(store, self.row, replace(locate(), storage=self.storage))
        folder = locations.folder(self.row.name) / "models" / BEST
        return load_model(folder, ensemble=ensemble, calibrated=calibrated, trust_code=trust_code)

    def trials(self) -> "pd.DataFrame":
        """Return one row for each trial, with its factors and nuisances."""
        from studies.database.frames import frames
        from studies.database.schema import tables

        with self._sound(tables.trial) as store:
            return frames.trials(store, self.row.id)

    def replicates(self) -> "pd.DataFrame":
        """Return one row for each network that has ended; losses in nats, accuracies fractions."""
        from studies.database.frames import frames
        from studies.database.schema import tables

        with self._sound(tables.replicate) as store:
            return frames.replicates(store, self.row.id)

    def epochs(self) -> "pd.DataFrame":
        """Return one row for each network and epoch."""
        from studies.database.frames import frames
        from studies.database.schema import tables

        with self._sound(tables.epoch) as store:
            return frames.epochs(store, self.row.id)

    def gradients(self) -> "pd.DataFrame":
        """Return one row for each network, recorded epoch (0: the initialisation) and hidden layer."""
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
