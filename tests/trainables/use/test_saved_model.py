"""Model folders: what was changed, is missing or does not belong is told, and nothing of it runs."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from tests.trainables.use.made import train
from trainables import datasets
from trainables.base.errors import ModelError
from trainables.use.model import load_model
from trainables.use.saved_model import CONFIG, MANIFEST, ModelFolder, manifest, to_json


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The files of a small model."""
    return dict(train(datasets.load("digits")).made.files)


@pytest.fixture
def folder(files: dict[str, bytes], tmp_path: Path) -> Path:
    """A folder with them."""
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    "name", ["weights.safetensors", "config.json", "preprocessing.json", "block-0.safetensors"]
)
def test_a_file_that_was_changed_is_refused_by_name(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(bytes(content))
    with pytest.raises(ModelError, match=f"{name} is not what was written"):
        ModelFolder.open(folder)


def test_a_file_that_is_gone_is_named(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match=r"lacks weights\.safetensors"):
        load_model(folder)


def test_a_link_instead_of_a_file_is_not_followed(folder: Path, tmp_path: Path) -> None:
    elsewhere = folder.with_name("elsewhere")
    (folder / "weights.safetensors").rename(elsewhere)
    (folder / "weights.safetensors").symlink_to(elsewhere)
    with pytest.raises(ModelError, match="lacks weights"):
        load_model(folder)


def test_a_pickle_in_the_place_of_the_weights_runs_nothing(folder: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (folder / "ran",)

    (folder / "weights.safetensors").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ModelError, match="is not what was written"):
        load_model(folder)
    assert not (folder / "ran").exists()


def test_a_manifest_may_not_name_files_outside(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"]["../secret"] = {"sha256": "0", "bytes": 1}
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match="outside the folder"):
        load_model(folder)


def test_a_later_format_asks_for_an_upgrade(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**manifest, "format": 2}), encoding="utf-8")
    with pytest.raises(ModelError, match="pip install --upgrade studies"):
        load_model(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "files": 3}'])
def test_a_damaged_manifest_is_named(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"manifest\.json is damaged"):
        load_model(folder)


def test_folders_that_are_no_models_say_why(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        load_model(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="is a file"):
        load_model(tmp_path / "file")
    (tmp_path / "model.pkl").touch()
    with pytest.raises(ModelError, match=r"model\.pkl may hold a pickle"):
        load_model(tmp_path)
    (tmp_path / "block-0.safetensors").touch()
    with pytest.raises(ModelError, match="of an earlier version"):
        load_model(tmp_path)


def test_the_manifest_comes_last(files: dict[str, bytes]) -> None:
    assert list(files)[-1] == MANIFEST
    listed = json.loads(files[MANIFEST])["files"]
    assert set(listed) == set(files) - {MANIFEST}


def test_a_config_that_lacks_something_is_no_whole_model(files: dict[str, bytes], tmp_path: Path) -> None:
    from trainables.use.saved_model import manifest

    changed = {name: content for name, content in files.items() if name != MANIFEST}
    config = json.loads(changed["config.json"])
    del config["classes"]
    changed["config.json"] = json.dumps(config).encode()
    for name, content in {**changed, MANIFEST: manifest(changed)}.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match="no whole model folder"):
        load_model(tmp_path)


def rewritten(folder: Path, name: str, content: bytes) -> None:
    """Replace a file and list it in the manifest, as one who tampers knowingly would."""
    listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    (folder / name).write_bytes(content)
    (folder / MANIFEST).write_bytes(manifest({each: (folder / each).read_bytes() for each in listed}))


@pytest.mark.parametrize(
    "content",
    [b"", b"no weights", b"\x80\x04]q.", b"\0" * 100, b"\xff" * 16],
    ids=["empty", "text", "pickle", "zeros", "ones"],
)
@pytest.mark.parametrize("name", ["weights.safetensors", "block-1.safetensors"])
def test_weights_that_are_none_are_told_though_the_manifest_lists_them(
    folder: Path, name: str, content: bytes
) -> None:
    rewritten(folder, name, content)
    with pytest.raises(ModelError, match="is no whole model folder"):
        load_model(folder, ensemble=name.startswith("block"))


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "../x"},
        {"model": 3},
        {"hyperparameters": []},
        {"hyperparameters": {"depth": -1}},
        {"input_shape": ["a"]},
        {"input_shape": 5},
        {"classes": ["a"]},
        {"unknown": 1},
    ],
)
def test_a_config_of_another_network_is_told_though_the_manifest_lists_it(
    folder: Path, changes: dict[str, Any]
) -> None:
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    rewritten(folder, CONFIG, to_json(config | changes))
    with pytest.raises(ModelError):
        load_model(folder)


def test_a_manifest_without_sums_is_damaged(folder: Path) -> None:
    for entry in [*("x", None), dict[str, str]()]:
        (folder / MANIFEST).write_bytes(to_json({"format": 1, "files": {CONFIG: entry}}))
        with pytest.raises(ModelError, match=r"manifest\.json is damaged"):
            load_model(folder)


def test_a_manifest_without_a_config_lists_no_whole_model(folder: Path) -> None:
    listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    del listed["files"][CONFIG]
    (folder / MANIFEST).write_bytes(to_json(listed))
    (folder / CONFIG).unlink()
    with pytest.raises(ModelError, match="is no whole model folder"):
        load_model(folder)
