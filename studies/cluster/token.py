"""The token that authenticates every client of a Ray that was started here."""

import os
import secrets
from pathlib import Path

MODE = "RAY_AUTH_MODE"
"""The environment variable that says whether Ray's processes ask for a token."""
TOKEN_PATH = "RAY_AUTH_TOKEN_PATH"
"""The environment variable with the path of the token's file."""


def write_token(path: Path) -> Path:
    """Write a new token to a file that only its owner may read; return its path."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
    return path


def forget_earlier_token() -> None:
    """Make Ray read the mode and the token again, which it otherwise keeps as long as the process lives."""
    from ray import _raylet

    loader = getattr(_raylet, "AuthenticationTokenLoader", None)
    if loader is not None:
        _raylet.Config.initialize("")  # type: ignore[attr-defined]
        loader.instance().reset_cache()
