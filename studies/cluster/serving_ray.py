"""Program of Ray's own process: it starts Ray, reports its address, and shuts it down when its driver goes away."""

import json
import logging
import os
import sys
from typing import Any

import ray

UNREAD = ("start_api_server", "start_log_monitor", "start_monitor")
"""Methods that start what serves the dashboard, or nobody: the dashboard, copies of logs for drivers that print them
(ours does not), and the autoscaler, which has no machines to add."""


def main(answer: str, options: str) -> None:
    """Start Ray with `options` (JSON), write its address or error to descriptor `answer`, wait for end of input."""
    asked = json.loads(options)
    with os.fdopen(int(answer), "w", encoding="utf-8") as file:
        try:
            if not asked["include_dashboard"]:
                leave_out_unread()
            ray.init(address="local", logging_level=logging.CRITICAL, log_to_driver=False, **asked)
        except Exception as error:
            json.dump({"error": str(error)}, file)
            return
        json.dump({"address": ray.get_runtime_context().gcs_address}, file)
    sys.stdin.buffer.read()
    ray.shutdown()


def leave_out_unread() -> None:
    """Let this process start Ray without the processes of `UNREAD`, a third of what a start computes.

    `ray start` has hidden options for two of them, `ray.init` for none. A Ray that names them otherwise starts them.
    """
    from ray._private.node import Node

    for name in UNREAD:
        if hasattr(Node, name):
            setattr(Node, name, _nothing)


def _nothing(*_: Any, **__: Any) -> None:
    """Stands in for a method."""


if __name__ == "__main__":
    main(*sys.argv[1:])
