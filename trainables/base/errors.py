"""What can go wrong when a configuration is trained or its model is used: the one base of this package's own errors."""

from collections.abc import Sequence


class TrainableError(Exception):
    """Something of the user's, or of a worker, kept a configuration from being trained.

    Every exception class of `trainables` derives from it, and beside it from the built-in class that fits, so that who
    uses this package alone may catch either. `studies`, which this package does not know, turns each into an error of
    its own before a user sees it (`studies.base.errors`).
    """


class ModelError(TrainableError, ValueError):
    """A model folder cannot be used: what is wrong, and what to do about it.

    >>> print(ModelError("no folder", "Give its path."))
    no folder. Give its path.
    """

    def __init__(self, message: str, advice: str) -> None:
        """Store both."""
        super().__init__(message, advice)
        self.message, self.advice = message, advice

    def __str__(self) -> str:
        return f"{self.message}. {self.advice}"


class InputError(TrainableError, ValueError):
    """Inputs that a model cannot take: one line for each mistake, with row and column where there are, and advice."""

    def __init__(self, mistakes: Sequence[str], advice: str) -> None:
        """Store both."""
        super().__init__(*mistakes, advice)
        self.mistakes, self.advice = tuple(mistakes), advice

    def __str__(self) -> str:
        told = (
            self.mistakes[0] if len(self.mistakes) == 1 else "".join(f"\n- {each}" for each in self.mistakes)
        )
        return f"{told}. {self.advice}" if len(self.mistakes) == 1 else f"{told}\n{self.advice}"
