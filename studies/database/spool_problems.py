"""What can go wrong with a spool, in words, with what to do."""

import shlex
from pathlib import Path

from studies.base.errors import StudiesError
from studies.database.spool_lines import Origin


class SpoolError(StudiesError):
    """The spool cannot be read or written, or writes are left in it."""


def unreadable(path: Path, error: OSError) -> SpoolError:
    return SpoolError(
        f"{path}, in which writes wait, cannot be read: {error.strerror}",
        "Make it readable and writable for you; then give the same command again.",
    )


def unwritable(path: Path, error: OSError) -> SpoolError:
    return SpoolError(
        f"the storage is out, and {path} cannot be written either: {error.strerror}",
        "Make room on the disk, or mend the storage; the same command then goes on where it stopped.",
    )


def damaged(path: Path, where: str, error: Exception) -> SpoolError:
    return SpoolError(
        f"{path}, in which writes wait, is damaged at {where}: {str(error).splitlines()[0]}",
        f"Put it away and give the same command again: {_put_away(path, 'damaged')}\n"
        "What it alone holds is trained again.",
    )


def of_another_version(path: Path, number: int) -> SpoolError:
    return SpoolError(
        f"{path} was left by another version of Studies (format {number})",
        "Let that version go on: give it the same command.",
    )


def of_another_study(path: Path, origin: Origin) -> SpoolError:
    return SpoolError(
        f"{path} holds writes of another study, {origin.study} of {origin.created_at:%Y-%m-%d %H:%M} UTC in "
        f"{origin.storage}",
        f"Give the --storage that has it; if it is gone, put the file away: {_put_away(path, 'old')}",
    )


def left_behind(path: Path, num_waiting: int, why: str) -> SpoolError:
    """Return the error of a run that ends before all its writes have come to the storage."""
    return SpoolError(
        f"{why}; writes that wait in {path}: {num_waiting}",
        "Nothing is lost: when the storage is back, give the same command again on this machine; it writes them "
        "first.",
    )


def refused(path: Path, number: int | None, error: Exception) -> SpoolError:
    """Return the error of a write that the storage will not take, today or later."""
    what = error.message if isinstance(error, StudiesError) else f"{type(error).__name__}: {error}"
    return SpoolError(
        f"a write that waited in {path} (number {number}) is refused: {what}",
        f"Put the file away and give the same command again: {_put_away(path, 'refused')}\n"
        "What it alone holds is trained again.",
    )


def _put_away(path: Path, how: str) -> str:
    return shlex.join(["mv", str(path), f"{path}.{how}"])
