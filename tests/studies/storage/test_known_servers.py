"""Which job servers are told the user's token: those that were submitted to from here, and the one that is given."""

from pathlib import Path

import pytest

from studies.storage.known_servers import is_known, remember

URL = "http://head:8265"


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("RAY_API_SERVER_ADDRESS", raising=False)


def test_only_a_server_that_was_given_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_known(URL)
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", f"{URL}/")
    assert is_known(URL)
    monkeypatch.delenv("RAY_API_SERVER_ADDRESS")
    remember(URL)
    remember("http://other:8265")
    assert is_known(URL)
    for another in ("", "http://head", "http://head:82655", "head:8265", f"{URL}\n"):
        assert not is_known(another), another


def test_it_is_noted_once(tmp_path: Path) -> None:
    remember(URL)
    remember(URL)
    (noted,) = (path for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert noted.read_text() == f"{URL}\n"


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    remember(URL)
    assert not is_known(URL)
