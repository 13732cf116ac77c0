"""`studies new`: a file that is a study as it stands, and never in the place of another."""

from pathlib import Path

import pytest

from studies import catalog
from studies.execution.preparation import load_dataset, settle
from studies.new import main
from studies.plan import main as plan
from studies.planning.request import Request, draft
from studies.planning.resources import Resources
from studies.storage.paths import locate
from studies.user_files.loader import load_definition

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_writes_a_study_that_is_annotated_and_says_what_to_do_next(capsys: Capture) -> None:
    assert main(["my_study.py"]) == 0
    printed = capsys.readouterr().out
    assert "studies plan ./my_study.py\n" in printed
    assert "studies run ./my_study.py --profile smoke\n" in printed
    assert load_definition("./my_study.py")[1] == load_definition("depth_study")[1]
    assert Path("my_study.py").read_text().count("    # ") >= 3


@pytest.mark.parametrize("name", catalog.names())
def test_it_starts_from_any_study(name: str) -> None:
    assert main(["own.py", "--from", name]) == 0
    assert load_definition("./own.py")[1] == load_definition(name)[1]


def test_load_and_build_only_need_their_comment_signs_taken_off(capsys: Capture) -> None:
    assert main(["my_study.py"]) == 0
    lines = Path("my_study.py").read_text().splitlines()
    begin = lines.index("# def load():")
    code = [line.removeprefix("#").removeprefix(" ") for line in lines[begin:]]
    Path("my_study.py").write_text("\n".join([*lines[:begin], *code, ""]))
    drafted = draft(Request(study="./my_study.py"))
    dataset = load_dataset(drafted)
    assert (dataset.classes, dataset.num_features) == (("class_0", "class_1", "class_2"), 13)
    _, warnings = settle(drafted, dataset, locate(), Resources())
    assert [warning.split(": ")[2] for warning in warnings] == ["fixed.activation", "fixed.init"]


def test_it_starts_from_a_file_and_writes_into_a_folder(capsys: Capture) -> None:
    Path("more here").mkdir()
    assert (
        main(["first.py", "--from", "dropout_study"]) == main(["more here/b.py", "--from", "first.py"]) == 0
    )
    assert Path("more here/b.py").read_bytes() == Path("first.py").read_bytes()
    assert "studies plan 'more here/b.py'" in capsys.readouterr().out


def test_what_it_writes_can_be_planned(capsys: Capture) -> None:
    assert main(["my_study.py", "--from", "batchnorm_study"]) == 0
    small = (
        "factors.learning_rate=[0.1]",
        "factors.batch_size=[256]",
        "search.rungs=[2]",
        "confirm.epochs=2",
    )
    capsys.readouterr()
    assert plan(["./my_study.py", *(word for setting in small for word in ("--set", setting))]) == 0
    assert capsys.readouterr().out.startswith("my_study-")


def test_a_file_that_exists_is_left_as_it_is(capsys: Capture) -> None:
    Path("my_study.py").write_text("mine\n")
    Path("lost.py").symlink_to("nowhere.py")
    for name in ("my_study.py", "lost.py"):
        assert main([name]) == 2
        assert f"error: {name} exists already" in capsys.readouterr().err
    assert Path("my_study.py").read_text() == "mine\n"
    assert not Path("nowhere.py").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["my_study"], "must end in .py; got my_study\nFor example: studies new my_study.py"),
        (["my study.py"], "The file's name is the study's name"),
        (["none/a.py"], "the folder none does not exist\nMake it first"),
        (["a.py", "--from", "dropout_studdy"], "did you mean dropout_study?"),
        (["a.py", "--from", "none.py"], "none.py: no such file"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(
    arguments: list[str], expected: str, tmp_path: Path, capsys: Capture
) -> None:
    assert main(arguments) == 2
    assert expected in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []
