"""The token without which nobody may talk to a Ray that was started here."""

import os
import secrets
from pathlib import Path

MODE = "RAY_AUTH_MODE"
"""The variable that tells Ray's processes whether to ask for a token."""
TOKEN_PATH = "RAY_AUTH_TOKEN_PATH"
"""The variable that tells Ray's processes where the token is."""


def write_token(path: Path) -> Path:
    """Make a file that its owner alone may read, with a new token in it; return its path."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
    return path


def forget_earlier_token() -> None:
    """Have Ray read both again: it keeps the first ones that it has read for as long as a process lives."""
    from ray import _raylet

    loader = getattr(_raylet, "AuthenticationTokenLoader", None)
    if loader is not None:
        _raylet.Config.initialize("")  # type: ignore[attr-defined]
        loader.instance().reset_cache()
