"""What can go wrong when a model is exported, and how a missing package is named."""

from collections.abc import Iterator
from contextlib import contextmanager

from trainables.base.errors import TrainableError


class ExportError(TrainableError):
    """A model cannot be exported: what is wrong, and what to do about it.

    >>> print(ExportError("the file differs", "Export again."))
    the file differs. Export again.
    """

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message, advice)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}. {self.advice}"


@contextmanager
def needing(packages: tuple[str, ...], command: str) -> Iterator[None]:
    """Turn a failed import of one of these packages inside the context into an ExportError that names `command`."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in packages:
            raise
        raise ExportError(
            f"the package {missing}, which this format needs, is not installed", f"Get it by: {command}"
        ) from error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text that says something, shortened."""
    cause = error.__cause__ or error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return f"{type(cause).__name__}: {lines[0][:200]}" if lines else type(cause).__name__
