"""What a hostile file holds, for tests that nothing of it is run."""

from pathlib import Path
from typing import Any


class Trap:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        """Have the file at `path` made."""
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the call that pickle would make."""
        return Path.touch, (self.path,)
