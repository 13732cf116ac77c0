"""The errors that a user sees: each says what is wrong, what to do, and with which exit code the command ends."""

import errno
import os
import shlex
from collections.abc import Sequence


class StudiesError(Exception):
    """A study, or the check of one, failed. Its text has two parts: what is wrong, then what to do.

    >>> print(StudiesError("runs/studies.db is damaged", "Restore the copy beside it."))
    runs/studies.db is damaged
    Restore the copy beside it.
    """

    exit_code = 1

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message, advice)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}\n{self.advice}"


class UsageError(StudiesError):
    """A command or a definition is wrong: one or several mistakes, reported together.

    >>> print(UsageError(["replicates must be at least 1; got 0"], "Correct it and run again."))
    replicates must be at least 1; got 0
    Correct it and run again.
    """

    exit_code = 2

    def __init__(self, mistakes: Sequence[str], advice: str) -> None:
        assert mistakes
        assert not isinstance(mistakes, str), "a sequence of mistakes, not one text"
        several = f"{len(mistakes)} mistakes:\n" + "\n".join(f"- {mistake}" for mistake in mistakes)
        super().__init__(mistakes[0] if len(mistakes) == 1 else several, advice)
        self.args = (tuple(mistakes), advice)  # the constructor's arguments, for pickle
        self.mistakes = tuple(mistakes)


class HeldError(StudiesError):
    """Another run holds the study.

    >>> error = HeldError("study small is held by another run", "See how it goes: studies status small --watch")
    >>> error.advice, error.exit_code
    ('See how it goes: studies status small --watch', 3)
    """

    exit_code = 3


class DamagedRecordError(StudiesError):
    """A row of a storage holds a value that Studies cannot have written there.

    >>> print(DamagedRecordError("study", "depth_study", "plan: replicates holds null"))
    table study, row depth_study: plan: replicates holds null
    Nothing is made from a damaged row: restore a copy of the storage from before.
    """

    def __init__(self, table: str, key: str, what: str) -> None:
        super().__init__(
            f"table {table}, row {key}: {what}",
            "Nothing is made from a damaged row: restore a copy of the storage from before.",
        )
        self.table, self.key, self.what = table, key, what

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        """Return how pickle makes the error again."""
        return type(self), (self.table, self.key, self.what)


def disk_error(error: OSError) -> StudiesError:
    """Return the error for a file that cannot be used: its path, the system's reason, and what to do.

    >>> print(disk_error(OSError(errno.ENOSPC, "No space left on device", "runs/x/report.html")))
    runs/x/report.html cannot be written: no space left on device
    Make room on its disk (df -h runs/x), then give the same command again: what was recorded is kept.
    """
    path, reason = str(error.filename), (error.strerror or "unknown reason").lower()
    again = "then give the same command again: what was recorded is kept."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        folder = shlex.quote(os.path.dirname(path) or ".")
        return StudiesError(
            f"{path} cannot be written: {reason}", f"Make room on its disk (df -h {folder}), {again}"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        advice = f"Allow it (ls -ld {shlex.quote(path)}) or give another --output, {again}"
        return StudiesError(f"{path} cannot be used: {reason}", advice)
    return StudiesError(f"{path} cannot be used: {reason}", f"See what is there and mend it, {again}")
