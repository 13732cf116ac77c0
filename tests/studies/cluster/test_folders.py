"""A run's temporary folder: kept while its driver lives, swept with its processes when it was killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from studies.cluster.reaper import OWNER, TEMPORARY, end_processes, owned, remove_abandoned_folders


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that makes a run's folder where runs have theirs."""

    def make(name: str) -> Path:
        folder = tmp_path / name
        (folder / TEMPORARY).mkdir(parents=True)
        return folder

    return make


def process_in(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        env={**os.environ, "TMPDIR": str(folder / TEMPORARY)},
    )


def process_with_a_log_in(folder: Path, mode: str) -> subprocess.Popen[bytes]:
    """Start a process that has lost its environment, but not its log."""
    program = "import sys, time; log = open(*sys.argv[1:]); print(flush=True); time.sleep(60)"
    (folder / "log").touch()
    words = [sys.executable, "-I", "-S", "-c", program, str(folder / "log"), mode]
    process = subprocess.Popen(words, env={}, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as output:
        output.readline()
    return process


def test_a_process_is_known_by_its_log_and_a_reader_of_it_left_alone(
    make_folder: Callable[[str], Path],
) -> None:
    folder = make_folder("studies-logging")
    writer, reader = process_with_a_log_in(folder, "w"), process_with_a_log_in(folder, "r")
    try:
        with (folder / "own").open("w"):
            assert end_processes(folder, patience_seconds=0.0) == 1, "nor is this process"
        assert writer.poll() is not None
        assert reader.poll() is None
    finally:
        reader.kill()
        reader.wait()
        writer.wait()


def test_a_folder_in_use_stays(make_folder: Callable[[str], Path]) -> None:
    folder = make_folder("studies-used")
    with owned(folder):
        remove_abandoned_folders(folder.parent, min_seconds=0.0)
        assert folder.is_dir()


def test_an_abandoned_folder_goes_with_its_processes(make_folder: Callable[[str], Path]) -> None:
    folder, other = make_folder("studies-left"), make_folder("studies-made")
    with owned(folder):
        pass
    process = process_in(folder)
    remove_abandoned_folders(folder.parent, min_seconds=0.0)
    assert not folder.exists()
    assert process.wait(timeout=10) < 0
    assert other.is_dir(), "it has no owner yet: it is just being made"


def test_a_folder_just_left_may_be_one_just_made(make_folder: Callable[[str], Path]) -> None:
    folder = make_folder("studies-young")
    with owned(folder):
        pass
    remove_abandoned_folders(folder.parent)
    assert folder.is_dir()


def test_a_link_is_not_followed(make_folder: Callable[[str], Path], tmp_path: Path) -> None:
    elsewhere = make_folder("elsewhere")
    (elsewhere / OWNER).touch()
    (tmp_path / "studies-link").symlink_to(elsewhere)
    trap = make_folder("studies-trap")
    (trap / OWNER).symlink_to(elsewhere / OWNER)
    remove_abandoned_folders(tmp_path, min_seconds=0.0)
    assert (elsewhere / OWNER).exists()
    assert trap.exists()


def test_processes_get_time_to_end(make_folder: Callable[[str], Path]) -> None:
    folder = make_folder("studies-slow")
    process = process_in(folder)
    begun = time.monotonic()
    assert end_processes(folder, patience_seconds=0.5) == 1
    assert time.monotonic() - begun >= 0.5
    assert process.poll() is not None, "it has ended, not only been told to"
    begun = time.monotonic()
    end_processes(folder, patience_seconds=30)
    assert time.monotonic() - begun < 5, "nothing is left to wait for"
