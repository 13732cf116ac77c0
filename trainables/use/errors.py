"""What can be wrong with a saved model or with what it is asked about."""

from collections.abc import Sequence

from trainables.base.errors import TrainableError


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
