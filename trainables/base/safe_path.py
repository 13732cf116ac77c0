"""A setting that keeps the current folder off the import path of Ray's processes only."""

import os

VARIABLE = "PYTHONSAFEPATH"
VALUE = "set-by-studies"
"""Python accepts any value; this one marks the setting as ours, so that it can be removed again."""


def safe_path(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment for Ray's processes, whose child processes else import from the current folder first.

    Ray's dashboard starts such processes with multiprocessing, and a training loop with a DataLoader may.
    """
    return {VARIABLE: VALUE, **environment}


def forget_safe_path() -> None:
    """Remove the setting, so that programs started by a user's own code import modules beside them as usual.

    Processes started by multiprocessing still leave out the current folder: they inherit this process's path.
    """
    if os.environ.get(VARIABLE) == VALUE:
        del os.environ[VARIABLE]
