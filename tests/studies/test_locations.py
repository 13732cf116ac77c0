"""Where studies are kept: flags, environment, defaults, and folders that stay below their root."""

from pathlib import Path

import pytest

from studies.errors import UsageError
from studies.locations import DEFAULT_STORAGE, Locations, check_writable, locate


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STUDIES_STORAGE", raising=False)
    monkeypatch.delenv("STUDIES_OUTPUT", raising=False)


def test_a_flag_wins_over_the_environment_and_that_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert locate() == Locations(storage=DEFAULT_STORAGE, output=Path("runs"))
    monkeypatch.setenv("STUDIES_STORAGE", "sqlite:///env.db")
    monkeypatch.setenv("STUDIES_OUTPUT", "env")
    assert locate() == Locations(storage="sqlite:///env.db", output=Path("env"))
    given = locate("sqlite:///flag.db", "flag")
    assert (given.storage, given.output) == ("sqlite:///flag.db", Path("flag"))


def test_a_command_repeats_the_flags_and_leaves_the_environment_to_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STUDIES_STORAGE", "postgresql://me:secret@host/db")
    assert locate().arguments == ()
    assert locate("sqlite:///a b.db", "out").arguments == ("--storage", "sqlite:///a b.db", "--output", "out")


def test_a_password_may_come_from_the_environment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError) as told:
        locate("postgresql://me:secret@host/db")
    assert "secret" not in str(told.value)
    assert "STUDIES_STORAGE" in str(told.value)
    monkeypatch.setenv("STUDIES_STORAGE", "postgresql://me:secret@host/db")
    assert locate().storage == "postgresql://me:secret@host/db"


@pytest.mark.parametrize("name", ["..", ".", "../x", "a/b", "/etc", "a/../../b"])
def test_a_studys_folder_lies_directly_below_the_root(tmp_path: Path, name: str) -> None:
    locations = Locations(storage=DEFAULT_STORAGE, output=tmp_path)
    with pytest.raises(UsageError, match="would lie outside"):
        locations.folder(name)
    assert locations.folder("mine") == tmp_path / "mine"


def test_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "mine").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="would lie outside"):
        Locations(storage=DEFAULT_STORAGE, output=tmp_path / "root").folder("mine")


def test_trying_to_write_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path)
    check_writable(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []


def test_only_the_default_storages_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Locations(storage="sqlite:///elsewhere/x.db", output=Path("out")).make_storage_folder()
    assert list(tmp_path.iterdir()) == []
    locate().make_storage_folder()
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
