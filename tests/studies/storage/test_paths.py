"""Where studies are kept: flags, environment, defaults, and folders that stay below their root."""

import os
import stat
from pathlib import Path

import pytest

from studies.base.errors import StudiesError, UsageError
from studies.storage.paths import DEFAULT_STORAGE, Locations, below, check_writable, locate


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


@pytest.mark.parametrize("name", ["..", ".", "../x", "a/b", "/etc", "a/../../b", "javascript:x"])
def test_a_studys_folder_lies_directly_below_the_root(tmp_path: Path, name: str) -> None:
    locations = Locations(storage=DEFAULT_STORAGE, output=tmp_path)
    with pytest.raises(UsageError, match="name must be"):
        locations.folder(name)
    with pytest.raises(UsageError, match="name must be"):
        locations.make_folder("mine", name)
    assert list(tmp_path.iterdir()) == []
    assert locations.folder("mine") == tmp_path / "mine"
    assert locations.folder("mine", "m" * 64) == tmp_path / f"mine-and-{'m' * 64}"


def test_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "mine").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="would lie outside"):
        Locations(storage=DEFAULT_STORAGE, output=tmp_path / "root").folder("mine")


def test_folders_that_are_made_are_for_their_owner_alone(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    mask = os.umask(0o022)
    try:
        made = Locations(storage=DEFAULT_STORAGE, output=shared / "a" / "b").make_folder("mine")
        again = Locations(storage=DEFAULT_STORAGE, output=shared / "a" / "b").make_folder("mine")
    finally:
        os.umask(mask)
    assert made == again == shared / "a" / "b" / "mine"
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (made, made.parent, made.parent.parent, shared)]
    assert modes == [0o700, 0o700, 0o700, 0o755]


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "models/../../x", "link/x"])
def test_a_file_that_a_storage_names_lies_below_its_studys_folder(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(StudiesError, match="would lie outside"):
        below(folder, path)
    assert below(folder, "models/best/x") == folder / "models" / "best" / "x"


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


@pytest.mark.parametrize("name", ["frames", "figures", "models", "models/best", "checkpoints"])
def test_a_folder_below_that_is_a_link_out_of_the_studys_own_is_refused(tmp_path: Path, name: str) -> None:
    locations = Locations(storage="sqlite:///x.db", output=tmp_path / "runs")
    folder = locations.make_folder("depth_study")
    (tmp_path / "elsewhere").mkdir()
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=rf"{name} is a link to .*/elsewhere, which lies outside"):
        locations.make_folder("depth_study")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_within_the_studys_folder_or_the_root_as_one_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "runs").symlink_to(tmp_path / "disk")
    locations = Locations(storage="sqlite:///x.db", output=tmp_path / "runs")
    folder = locations.make_folder("depth_study")
    (folder / "real").mkdir()
    (folder / "frames").symlink_to(folder / "real")
    assert locations.make_folder("depth_study") == folder


@pytest.mark.parametrize(
    ("storage", "unused"),
    [
        ("sqlite:///there.db", False),
        ("sqlite:///missing.db", True),
        ("sqlite:///missing.db?mode=ro", False),
        ("postgresql://ann@db/studies", False),
    ],
)
def test_a_sqlite_file_that_is_not_there_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: str, unused: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.db").touch()
    assert Locations(storage=storage, output=tmp_path).is_unused() is unused
