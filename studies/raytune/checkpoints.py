"""Checkpoints on disk: of each unfinished trial the newest two, which a later attempt at it goes on from."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, final

from reports.pages.atomic_files import PARTIAL, write_whole
from studies.database.frames.histories import epoch_records
from studies.database.store import Store
from studies.search.trial_queue import TrialQueue
from studies.storage.paths import make_private
from trainables.base.records import EpochRecord
from trainables.trials.checkpoint import CheckpointError, CheckpointRef, check
from trainables.trials.trial_spec import TrialSpec

FOLDER: Final = "checkpoints"
"""Their folder in a study's own."""

NUM_KEPT: Final = 2
"""Where the newest is damaged, the one before serves."""

_NAME: Final = re.compile(r"trial-(\d+)-epoch-(\d+)\.safetensors")


@final
class Checkpoints:
    """The files of one study; each is whole, and written after its epochs are recorded.

    A file that cannot be read or written costs the training since the one before, never a trial.
    """

    def __init__(self, folder: Path) -> None:
        """Keep them below a study's own `folder`."""
        self._folder = folder / FOLDER
        self._unremovable: set[Path] = set()
        self._numbers = {number for number, *_ in self._files()}
        """Trials that may have files: most never have one, and the folder is not searched for them."""
        self.histories: dict[int, list[EpochRecord]] = {}
        """What was recorded of trials with a checkpoint before this run."""

    @classmethod
    def open(cls, store: Store, study_id: int, queue: TrialQueue, folder: Path) -> "Checkpoints":
        """Return those that `queue` can go on from; files of other trials and of epochs not recorded are removed."""
        opened = cls(folder)
        for number in sorted(opened._numbers):
            trial = queue.trials.get(number)
            if trial is not None and not trial.state.has_ended:
                opened.histories[number] = epoch_records(store, study_id, number)
            last = max((record.epoch for record in opened.histories.get(number, ())), default=0)
            opened.drop(number, after=last)
        for path in opened._folder.glob(f"*{PARTIAL}"):
            opened._remove(path)
        return opened

    def keep(self, number: int, epoch: int, data: bytes) -> None:
        """Write a trial's checkpoint, then remove all but the newest ones; raise OSError if it cannot be written."""
        make_private(self._folder)
        path = self._folder / f"trial-{number}-epoch-{epoch}.safetensors"
        self._numbers.add(number)
        write_whole(path, data)
        self._unremovable.discard(path)
        for _, old in self._of(number)[NUM_KEPT:]:
            self._remove(old)

    def newest(self, trial_spec: TrialSpec) -> tuple[CheckpointRef | None, list[str]]:
        """Return the newest whole checkpoint that the trial can go on from, and what is wrong with newer ones."""
        refused = []
        for epoch, path in self._of(trial_spec.number):
            try:
                data = path.read_bytes()
                made_after = check(data, trial_spec)
                if made_after != epoch:
                    raise CheckpointError(f"the checkpoint is of epoch {made_after}")
            except (OSError, CheckpointError) as error:
                refused.append(f"{path.name}: {error}")
            else:
                return CheckpointRef(epoch, data), refused
        return None, refused

    def drop(self, number: int, *, after: int = 0) -> None:
        """Remove a trial's checkpoints of epochs beyond `after`."""
        for epoch, path in self._of(number):
            if epoch > after:
                self._remove(path)

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError:  # then it stays, and is not looked at
            self._unremovable.add(path)

    def _of(self, number: int) -> list[tuple[int, Path]]:
        """Return a trial's files with their epochs, newest first."""
        if number not in self._numbers:
            return []
        found = [(epoch, path) for of, epoch, path in self._files(str(number)) if of == number]
        return sorted(found, reverse=True)

    def _files(self, number: str = "*") -> Iterator[tuple[int, int, Path]]:
        for path in self._folder.glob(f"trial-{number}-epoch-*.safetensors"):
            match = _NAME.fullmatch(path.name)
            if match is not None and path not in self._unremovable:
                yield int(match[1]), int(match[2]), path
