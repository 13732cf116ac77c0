"""A run's log among those that Ray's dashboard shows: a link in the folder of logs of this machine's node.

The dashboard's page Logs lists that folder and follows links out of it, so what it shows is the log itself.
"""

import os
from contextlib import suppress
from pathlib import Path


def show_log(path: Path, name: str) -> str | None:
    """Link the log `path` of the study `name`; return the link's name, or None where nothing can be put there.

    Ray must have been joined. The link stays after the run, as Ray's own logs do, and goes with Ray's session.
    """
    from ray._private import worker

    node = getattr(worker, "_global_node", None)
    if node is None:
        return None
    link = Path(node.get_logs_dir_path(), f"studies-{name}.log")
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    try:
        temporary.symlink_to(path)
        temporary.replace(link)  # that of an earlier run gives way at once
    except OSError:  # such as a folder of logs that belongs to another user
        with suppress(OSError):
            temporary.unlink()
        return None
    return link.name
