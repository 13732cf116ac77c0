"""Program of Ray's own process: it starts Ray, reports where, and shuts it down when its driver goes away."""

import json
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

import ray

UNREAD = ("start_log_monitor",)
"""Methods that start what nobody uses: copies of logs for drivers that print them, which ours does not."""
SHOWN = ("start_api_server", "start_monitor")
"""Methods that start what serves the dashboard: its server, and the autoscaler, whose state it shows."""
NICENESS = 10
"""Of the dashboard: while it starts, which takes seconds of a core, the workers go first."""


def main(answer: str, options: str) -> None:
    """Start Ray with `options` (JSON) and wait for the end of input.

    A line of JSON each goes to descriptor `answer`: the address or an error, then, if it is asked for, the dashboard's.
    """
    asked = json.loads(options)
    with os.fdopen(int(answer), "w", encoding="utf-8") as file:
        put_off: list[Callable[[], object]] = []
        leave_out(UNREAD, lambda start: None)
        leave_out(SHOWN, put_off.append if asked["include_dashboard"] else lambda start: None)
        try:
            ray.init(address="local", logging_level=logging.CRITICAL, log_to_driver=False, **asked)
        except Exception as error:
            _tell(file, error=str(error))
            return
        _tell(file, address=ray.get_runtime_context().gcs_address)
        if put_off:
            os.nice(NICENESS)
            _start_dashboard(file, put_off)
    sys.stdin.buffer.read()
    ray.shutdown()


def leave_out(names: tuple[str, ...], instead: Callable[[Callable[[], object]], object]) -> None:
    """Let this process start Ray without what these methods start: `instead` is given each start, to call it or not.

    `ray start` has hidden options for two of them, `ray.init` for none, and waits for the dashboard before it starts
    what runs trials. A Ray that names them otherwise starts them.
    """
    from ray._private.node import Node

    for name in names:
        if hasattr(Node, name):
            setattr(Node, name, _handing(getattr(Node, name), instead))


def _handing(
    method: Callable[..., object], instead: Callable[[Callable[[], object]], object]
) -> Callable[..., None]:
    def put_off(*given: Any, **named: Any) -> None:
        instead(lambda: method(*given, **named))

    return put_off


def _start_dashboard(file: TextIO, put_off: list[Callable[[], object]]) -> None:
    from ray._private import worker

    node: Any = worker._global_node
    try:
        for start in put_off:
            start()
    except Exception as error:
        _tell(file, error=str(error))
    else:
        _tell(file, dashboard=str(node.webui_url))


def _tell(file: TextIO, **said: str) -> None:
    file.write(json.dumps(said) + "\n")
    file.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
