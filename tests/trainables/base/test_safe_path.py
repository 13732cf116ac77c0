"""What Ray's processes start does not look in the current folder; what a user's code starts does as ever."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from trainables.base.safe_path import VALUE, VARIABLE, forget_safe_path, safe_path

STARTS_OTHERS = """
import multiprocessing, subprocess, sys
from trainables.base.safe_path import forget_safe_path

if __name__ == "__main__":
    forget_safe_path()
    with multiprocessing.get_context("forkserver").Pool(1) as pool:
        print(pool.apply(abs, (-7,)), flush=True)
    subprocess.run([sys.executable, sys.argv[1]], check=True)
"""


def test_multiprocessing_keeps_out_of_the_current_folder_and_a_program_finds_what_is_beside_it(
    tmp_path: Path,
) -> None:
    here, of_user, worker = tmp_path / "here", tmp_path / "user", tmp_path / "worker.py"
    worker.write_text(STARTS_OTHERS)
    here.mkdir()
    (here / "selectors.py").write_text("raise SystemExit('selectors of the current folder')")
    of_user.mkdir()
    (of_user / "beside.py").write_text("WHAT = 'beside it'")
    (of_user / "program.py").write_text("import beside\nprint(beside.WHAT)")
    said = subprocess.run(
        [sys.executable, worker, of_user / "program.py"],
        cwd=here,
        env=safe_path({**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, "7\nbeside it\n", "")


def test_a_users_own_setting_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    assert safe_path({VARIABLE: "1"}) == {VARIABLE: "1"}
    monkeypatch.setenv(VARIABLE, "1")
    forget_safe_path()
    assert os.environ[VARIABLE] == "1"
    monkeypatch.setenv(VARIABLE, VALUE)
    forget_safe_path()
    assert VARIABLE not in os.environ
