"""A model folder: a trained network with everything that its use needs, as data that runs nothing when it is read.

`weights.safetensors` is the state of a plain torch module, `config.json` says which one, `preprocessing.json` how raw
inputs become its own, and `manifest.json`, written last, lists every file with its SHA-256.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from trainables.base.errors import ModelError
from trainables.use.preprocessing import Preprocessing

if TYPE_CHECKING:
    from trainables.user_code.code import UserCode

FORMAT: Final = 1
"""The version of the folder's files; a later one may be of another form."""

MANIFEST, CONFIG, PREPROCESSING, WEIGHTS = (
    "manifest.json",
    "config.json",
    "preprocessing.json",
    "weights.safetensors",
)
MAX_CHARACTERS: Final = 300
"""Of what a library says of a damaged file."""

REFERENCE: Final = "reference.safetensors"
CODE: Final = "code"


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Which network it is: enough to build the same plain module again and to name what it predicts.

    `model` is a name of `trainables.models`, or "own" for a module that the user's code builds. `hyperparameters` are
    plain values, `input_shape` is an example's shape as the network gets it. `temperature` divides the logits where
    calibrated probabilities are asked for; it was fitted on the validation part. `block` is the replicate's. `chosen`
    says in words why this network. `code_file` is the user's file below `code/`, `code_modules` the modules beside it
    by dotted name.
    """

    study: str
    model: str
    hyperparameters: Mapping[str, Any]
    input_shape: tuple[int, ...]
    classes: tuple[str, ...]
    dataset: str
    trial: int
    block: int
    chosen: str
    temperature: float = 1.0
    versions: Mapping[str, str] = field(default_factory=dict)
    code_file: str | None = None
    code_modules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data that `from_dict` takes."""
        values = asdict(self)
        return {"format": FORMAT, **values}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ModelConfig":
        """Return what `to_dict` wrote; TypeError or KeyError for anything else."""
        given = {name: value for name, value in values.items() if name != "format"}
        given["input_shape"] = tuple(given["input_shape"])
        given["classes"] = tuple(given["classes"])
        return cls(**given)


def to_json(values: object) -> bytes:
    """Return JSON text for a file of the folder, with a line break at its end."""
    return (json.dumps(values, indent=1, ensure_ascii=False, sort_keys=False) + "\n").encode()


def manifest(files: Mapping[str, bytes]) -> bytes:
    """Return the manifest of a folder with these files."""
    listed = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in sorted(files.items())
    }
    return to_json({"format": FORMAT, "files": listed})


@dataclass(frozen=True, kw_only=True)
class ModelFolder:
    """A model folder whose listed files are all there, as they were written."""

    path: Path
    files: tuple[str, ...]
    config: ModelConfig
    preprocessing: Preprocessing

    @classmethod
    def open(cls, path: str | Path) -> "ModelFolder":
        """Check the folder against its manifest and read what it says; raise ModelError that says what to do."""
        path = Path(path)
        listed = _listed(path)
        for name, expected in listed.items():
            _check(path, name, expected)
        with reading(path):
            config = ModelConfig.from_dict(_json(path / CONFIG))
            preprocessing = Preprocessing.from_dict(_json(path / PREPROCESSING))
        return cls(path=path, files=tuple(listed), config=config, preprocessing=preprocessing)

    def read(self, name: str) -> bytes:
        """Return the content of a listed file; raise ModelError if the folder has none of that name."""
        if name not in self.files:
            raise ModelError(f"{self.path} has no {name}", "It was made without it: make the model again.")
        return (self.path / name).read_bytes()

    @property
    def blocks(self) -> tuple[str, ...]:
        """The files of all replicates, for an ensemble."""
        found = [name for name in self.files if name.startswith("block-") and name.endswith(".safetensors")]
        return tuple(sorted(found, key=lambda name: (len(name), name)))

    def code(self, *, trust_code: bool) -> "UserCode | None":
        """Return the user's code that builds the network, None if none is needed."""
        if self.config.code_file is None:
            return None
        if not trust_code:
            raise ModelError(
                f"the network of {self.path} is built by code, {CODE}/{self.config.code_file}, which runs only if you "
                "trust it",
                "Read it, then give --trust-code (in Python: trust_code=True).",
            )
        from trainables.user_code.code import Source, UserCode

        def source(facts: Mapping[str, Any]) -> Source:
            name = f"{CODE}/{facts['file']}"
            path = str((self.path / name).absolute())
            return Source(path=path, text=self.read(name), is_package=bool(facts.get("is_package", False)))

        return UserCode(
            file=source({"file": self.config.code_file}),
            modules={name: source(facts) for name, facts in self.config.code_modules.items()},
        )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever is raised while a folder's files are made into a network into a ModelError.

    Files that are as the manifest lists them may still have been written by anyone.
    """
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        said = (str(error).strip() or "no more is known").splitlines()[0][:MAX_CHARACTERS]
        raise ModelError(
            f"{path} is no whole model folder: {type(error).__name__}: {said}",
            "Take another copy of it, or make the model again.",
        ) from error


def code_files(code: "UserCode") -> tuple[dict[str, bytes], str, dict[str, dict[str, Any]]]:
    """Return the files of a user's code for a folder, and the config's `code_file` and `code_modules`."""
    file = PurePosixPath(code.file.path).name
    files, modules = {f"{CODE}/{file}": code.file.text}, {}
    for name, source in code.modules.items():
        inside = f"{name.replace('.', '/')}{'/__init__' if source.is_package else ''}.py"
        files[f"{CODE}/{inside}"] = source.text
        modules[name] = {"file": inside, "is_package": source.is_package}
    return files, file, modules


def _listed(path: Path) -> dict[str, str]:
    """Return the files that the manifest lists, with their SHA-256."""
    if not path.is_dir():
        what = "is a file, and a model is a folder" if path.exists() else "does not exist"
        raise ModelError(
            f"{path} {what}", "Give the folder of a model, such as runs/depth_study/models/best."
        )
    if not (path / MANIFEST).is_file():
        raise _no_model(path)
    try:
        values = _json(path / MANIFEST)
        version, listed = values["format"], dict(values["files"])
        sums = {name: str(facts["sha256"]) for name, facts in listed.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{path / MANIFEST} is damaged ({error})", "Take another copy of the folder."
        ) from None
    if version != FORMAT:
        raise ModelError(
            f"{path} has format {version}, and this version of Studies reads {FORMAT}",
            "Upgrade Studies (pip install --upgrade studies).",
        )
    return sums


def _no_model(path: Path) -> ModelError:
    names = sorted(each.name for each in path.iterdir())
    if any(name.startswith("block-") and name.endswith(".safetensors") for name in names):
        return ModelError(
            f"{path} has weights and no {MANIFEST}: it is of an earlier version of Studies, or its study has not ended",
            "Give the study's command again: it makes a finished study's model, unless that was recorded under the "
            "rules of an earlier version; then run it under another --name.",
        )
    pickles = [name for name in names if name.endswith((".pkl", ".pickle", ".pt", ".pth", ".joblib"))]
    told = (
        f"; {pickles[0]} may hold a pickle, which runs code when it is read, and is left alone"
        if pickles
        else ""
    )
    return ModelError(
        f"{path} is no model folder: it has no {MANIFEST}{told}",
        "Give the folder of a model, such as runs/depth_study/models/best.",
    )


def _check(path: Path, name: str, expected: str) -> None:
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts:
        raise ModelError(f"{path / MANIFEST} names {name}, outside the folder", "Do not use this folder.")
    file = path / name
    if not file.is_file() or file.is_symlink():
        raise ModelError(f"{path} lacks {name}, which {MANIFEST} lists", "Take another copy of the folder.")
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != expected:
        raise ModelError(
            f"{file} is not what was written there: its SHA-256 is {found}, and {MANIFEST} has {expected}",
            "It was changed or damaged: take another copy, or give the study's command again, which makes it anew.",
        )


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
