"""Leaving Ray while another thread drops references to its objects, or is in the middle of a call."""

import subprocess
import sys

DROPPED_MEANWHILE = """
import threading, time
import ray
from studies.cluster.leaving_ray import leave_ray

ray.init(address="local", num_cpus=1, include_dashboard=False, logging_level="CRITICAL", log_to_driver=False)
references = [ray.put(0) for _ in range(10_000)]
is_over = threading.Event()

def drop():
    while references:
        references.pop()
        is_over.is_set() or time.sleep(1e-4)

dropping = threading.Thread(target=drop)
dropping.start()
leave_ray()
assert references, "all were dropped before"
is_over.set()
dropping.join()
assert not ray.is_initialized()
leave_ray()  # once more does nothing
print("left")
"""

UNDER_WAY = """
import threading, time
import ray
from studies.cluster.leaving_ray import leave_ray

ray.init(address="local", num_cpus=1, include_dashboard=False, logging_level="CRITICAL", log_to_driver=False)
is_under_way = threading.Event()

class Slow:
    def __reduce__(self):
        is_under_way.set()
        time.sleep(0.3)
        return str, ()

class Actor:
    def __init__(self, given): ...

starting = threading.Thread(target=lambda: ray.remote(Actor).remote(Slow()))
starting.start()
is_under_way.wait()
leave_ray()
starting.join()
print("left")
"""


def test_a_call_that_is_under_way_does_not_end_the_process() -> None:
    command = [sys.executable, "-c", UNDER_WAY]
    left = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert left.stdout == "left\n", left.stderr
    assert left.returncode == 0


def test_a_reference_that_is_dropped_meanwhile_does_not_end_the_process() -> None:
    command = [sys.executable, "-c", DROPPED_MEANWHILE]
    left = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert left.stdout == "left\n", left.stderr
    assert left.returncode == 0
