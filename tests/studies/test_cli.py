"""What every door makes of an error, in two parts and an exit code; and of a value that a shell took apart."""

import argparse
import errno
from pathlib import Path

import pytest

from reports.pages.atomic_files import write_whole
from reports.pages.rendering import write_page
from studies._cli import run_door
from studies.plan import main as plan


def through_a_door(error: BaseException) -> int:
    """Return the exit code of a door in which this is raised."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--debug", action="store_true")

    def work(options: argparse.Namespace) -> int:
        raise error

    return run_door(parser, [], work)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Make room on its disk (df -h runs/x)"),
        (errno.EACCES, "Allow it (ls -ld runs/x/frames)"),
        (errno.ENOTDIR, "See what is there"),
    ],
)
def test_a_file_that_cannot_be_written_is_named_with_what_to_do(
    number: int, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert through_a_door(OSError(number, "Reason", "runs/x/frames")) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("error: runs/x/frames cannot be ")
    assert first.endswith(": reason")
    assert second.startswith(advice)


def test_an_error_that_names_no_file_is_our_mistake_and_stays_whole() -> None:
    with pytest.raises(OSError, match="Reason"):
        through_a_door(OSError(errno.EIO, "Reason"))


@pytest.mark.parametrize("write", [write_whole, write_page])
def test_every_writer_names_its_file(write: object, tmp_path: Path) -> None:
    assert callable(write)
    (tmp_path / "in_the_way").mkdir()
    (tmp_path / "in_the_way" / "x").touch()
    with pytest.raises(OSError, match="irectory") as caught:
        write(tmp_path / "in_the_way", b"data")
    assert caught.value.filename == str(tmp_path / "in_the_way")
    assert [path.name for path in tmp_path.iterdir()] == ["in_the_way"]


@pytest.mark.parametrize("torn", ["nuisances.learning_rate=high:2", "adam]"])
def test_a_value_that_a_shell_took_apart_is_told_with_the_way_to_keep_it_whole(
    torn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        plan(["depth_study", "--set", "x=[sgd,", torn])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert f"unrecognized arguments: {torn}\n" in told
    assert "put the whole in single quotes" in told


def test_another_unknown_argument_is_told_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        plan(["depth_study", "more"])
    assert "quotes" not in capsys.readouterr().err
