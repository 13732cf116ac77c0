"""Program of Ray's own process: it starts Ray, reports its address, and shuts it down when its driver goes away."""

import json
import logging
import os
import sys

import ray


def main(answer: str, options: str) -> None:
    """Start Ray with `options` (JSON), write its address or error to descriptor `answer`, wait for end of input."""
    with os.fdopen(int(answer), "w", encoding="utf-8") as file:
        try:
            ray.init(
                address="local", logging_level=logging.CRITICAL, log_to_driver=False, **json.loads(options)
            )
        except Exception as error:
            json.dump({"error": str(error)}, file)
            return
        json.dump({"address": ray.get_runtime_context().gcs_address}, file)
    sys.stdin.buffer.read()
    ray.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
