"""Checkpoint files of a study: the newest two of each unfinished trial, from which its next attempt continues."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from reports.pages.atomic_files import PARTIAL, make_private, write_whole
from studies.database.frames.histories import epoch_records
from studies.database.store import Store
from studies.search.trial_queue import TrialQueue
from trainables.base.records import EpochRecord
from trainables.trials.trial_spec import TrialSpec

if TYPE_CHECKING:
    from trainables.trials.checkpoint import CheckpointRef

FOLDER: Final = "checkpoints"
"""Subfolder of the study's folder."""

NUM_KEPT: Final = 2
"""Two, so that the earlier one is left if the newest is damaged."""

_NAME: Final = re.compile(r"trial-(\d+)-epoch-(\d+)\.safetensors")


@final
class Checkpoints:
    """The checkpoint files of one study, each written atomically after its epochs are recorded.

    If a file cannot be read or written, the trial continues from an earlier one; it never fails because of that.
    """

    def __init__(self, folder: Path) -> None:
        """Keep the files in a subfolder of the study's `folder`."""
        self._folder = folder / FOLDER
        self._unremovable: set[Path] = set()
        self._numbers = {number for number, *_ in self._files()}
        """Trials that may have files; for all others, which are most, the folder is not searched."""
        self.histories: dict[int, list[EpochRecord]] = {}
        """The recorded epochs of trials that have a checkpoint from an earlier run."""

    @classmethod
    def open(cls, store: Store, study_id: int, queue: TrialQueue, folder: Path) -> "Checkpoints":
        """Return a study's checkpoints; files of ended trials, and of epochs that were not recorded, are removed."""
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
        """Write a trial's checkpoint, then remove all but its newest ones; raise OSError if it cannot be written."""
        make_private(self._folder)
        path = self._folder / f"trial-{number}-epoch-{epoch}.safetensors"
        self._numbers.add(number)
        write_whole(path, data)
        self._unremovable.discard(path)
        for _, old in self._of(number)[NUM_KEPT:]:
            self._remove(old)

    def newest(self, trial_spec: TrialSpec) -> "tuple[CheckpointRef | None, list[str]]":
        """Return the newest valid checkpoint of the trial, if any, and a message for each newer one that is not."""
        files = self._of(trial_spec.number)
        if not files:
            return None, []
        # Imported here, because it brings torch, which a driver does without until its model is made.
        from trainables.trials.checkpoint import CheckpointError, CheckpointRef, check

        refused = []
        for epoch, path in files:
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
        """Remove a trial's checkpoints of epochs after `after`."""
        for epoch, path in self._of(number):
            if epoch > after:
                self._remove(path)

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError:  # the file stays, and is ignored from now on
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
