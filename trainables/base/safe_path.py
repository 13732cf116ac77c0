"""A setting that keeps the current folder off the path of Ray's processes, and of nobody else's."""

import os

VARIABLE = "PYTHONSAFEPATH"
VALUE = "set-by-studies"
"""Python asks for any value; by this one we know that it is ours to take away again."""


def safe_path(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment for Ray's processes: they would start others that look in the current folder first.

    Ray's dashboard has multiprocessing do so, and a loop with a DataLoader may.
    """
    return {VARIABLE: VALUE, **environment}


def forget_safe_path() -> None:
    """Have programs that a user's own code starts look for modules beside them, as ever.

    What multiprocessing starts goes on without the current folder: it is told so by this process.
    """
    if os.environ.get(VARIABLE) == VALUE:
        del os.environ[VARIABLE]
