"""A trained model to predict with, by scikit-learn's conventions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from torch import nn

from trainables.base.errors import ModelError
from trainables.use.evaluation import probabilities_of
from trainables.use.networks import members_of, module_of
from trainables.use.preprocessing import Kind, Preprocessing
from trainables.use.saved_model import ModelConfig, ModelFolder

ENGINES: Final = ("torch", "onnx", "onnx-int8")

MAX_CHUNK_VALUES: Final = 4_000_000
"""Input values that are computed at a time: 16 MB of float32."""


class Model(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A trained network, or several whose probabilities are averaged; inputs are raw, as in the training data.

    It is fitted already: in a scikit-learn `Pipeline` it may be the last step, and `fit` changes nothing.

    >>> import numpy as np
    >>> import studies
    >>> model = studies.load_model("runs/depth_study-smoke/models/best")
    >>> inputs = np.zeros((2, 64))
    >>> model.kind, model.n_features_in_, model.encode(inputs).shape
    ('image', 64, torch.Size([2, 8, 8]))
    >>> model.predict(inputs).tolist() == model.classes_[model.predict_proba(inputs).argmax(1)].tolist()
    True
    >>> model.fit(inputs) is model
    True
    """

    def __init__(
        self,
        config: ModelConfig,
        members: Sequence[tuple[Preprocessing, nn.Module]],
        *,
        temperature: float = 1.0,
    ) -> None:
        """Predict with `members`, modules in evaluation mode with their preprocessing."""
        self.config, self.members, self.temperature = config, members, temperature

    @property
    def classes_(self) -> NDArray[np.str_]:
        """The names of the classes, in the order of `predict_proba`'s columns."""
        return np.array(self.config.classes)

    @property
    def preprocessing(self) -> Preprocessing:
        """How raw inputs become the module's."""
        return self.members[0][0]

    @property
    def module(self) -> nn.Module:
        """The (first) network as a torch module: what `encode` returns to logits (examples, classes)."""
        return self.members[0][1]

    @property
    def kind(self) -> Kind:
        """What an example is: "table", "text", "image" or "array"."""
        return self.preprocessing.kind

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each number that the module gets of an example."""
        return self.preprocessing.feature_names

    @property
    def n_features_in_(self) -> int:
        """How many columns or values an example has."""
        return len(self.preprocessing.columns) or (
            1 if self.kind == "text" else self.preprocessing.num_features
        )

    def encode(self, examples: Any, *, first_row: int = 1) -> torch.Tensor:
        """Return raw inputs as what the module takes, shape (examples, *shape), float32.

        `examples` are an array, a DataFrame, a list of texts, or a list of images (their paths, or PIL's). Raises
        InputError with row, counted from `first_row`, and column of what cannot be used.
        """
        return torch.from_numpy(self.preprocessing.encode(examples, first_row=first_row))

    def predict(self, examples: Any) -> NDArray[np.str_]:
        """Return the name of each example's most probable class, shape (examples,)."""
        return np.asarray(self.classes_[self.predict_proba(examples).argmax(1)])

    def predict_proba(self, examples: Any) -> NDArray[np.float64]:
        """Return each class's probability, shape (examples, classes); rows sum to 1."""
        return self.probabilities(examples)

    def probabilities(
        self, examples: Any, *, first_row: int = 1, notes: list[str] | None = None
    ) -> NDArray[np.float64]:
        """Return what `predict_proba` does; messages count rows from `first_row`, and `notes` takes decisions.

        >>> model = load_model("runs/depth_study-smoke/models/best")
        >>> model.probabilities(np.zeros((1, 64)), first_row=2).sum().round(6).item()
        1.0
        """
        total: NDArray[np.float64] | None = None
        encoded: dict[int, NDArray[np.float32]] = {}
        for preprocessing, module in self.members:
            # Members that were trained on numbers share one encoding; vocabularies differ.
            key = id(preprocessing.terms) if preprocessing.terms else 0
            if key not in encoded:
                encoded = {key: preprocessing.encode(examples, first_row=first_row, notes=notes)}
            found = self._of(module, encoded[key])
            total = found if total is None else total + found
        assert total is not None, "a model has at least one network"
        return total / len(self.members)

    def of_features(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the (first) network's probabilities of examples that are encoded already, shape (examples, *shape).

        >>> model = load_model("runs/depth_study-smoke/models/best")
        >>> model.of_features(model.encode(np.zeros((1, 64))).numpy()).shape
        (1, 10)
        """
        return self._of(self.module, features)

    def _of(self, module: nn.Module, features: NDArray[np.float32]) -> NDArray[np.float64]:
        chunk = max(1, MAX_CHUNK_VALUES // max(1, int(np.prod(features.shape[1:]))))
        logits = [np.zeros((0, len(self.config.classes)))]
        with torch.inference_mode():
            for start in range(0, len(features), chunk):
                part = torch.from_numpy(features[start : start + chunk])
                logits.append(module(part).double().numpy())
        return probabilities_of(np.concatenate(logits), self.temperature)

    def fit(self, examples: Any, targets: Any = None) -> Self:
        """Return the model as it is: it was trained by its study."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __repr__(self) -> str:
        several = f", {len(self.members)} networks" if len(self.members) > 1 else ""
        return (
            f"Model({self.config.model} of {self.config.study}, {self.kind} of {self.n_features_in_}, "
            f"{len(self.config.classes)} classes{several})"
        )


def load_model(
    folder: str | Path,
    *,
    ensemble: bool = False,
    calibrated: bool = False,
    trust_code: bool = False,
    engine: str = "torch",
) -> Model:
    """Return the model in a folder that a study left; raise ModelError that says what to do if it cannot be used.

    With `ensemble` the probabilities of all replicates are averaged. With `calibrated` those of the chosen network are
    softened by the temperature that was fitted on its validation part. A network that a user's own code builds is
    loaded only with `trust_code`, which runs that code. `engine` is "torch", or "onnx" or "onnx-int8" for the network
    that `studies export` wrote beside the model: it is run by onnxruntime, and needs no code of the user's.
    """
    if engine not in ENGINES:
        raise ModelError(f"no engine is called {engine!r}", f"Choose one of {', '.join(ENGINES)}.")
    if ensemble and calibrated:
        raise ModelError(
            "the temperature is that of one network, not of an ensemble", "Leave out one of the two."
        )
    if ensemble and engine != "torch":
        raise ModelError(f"an ensemble runs with torch, not with {engine}", "Leave out one of the two.")
    opened = ModelFolder.open(folder)
    temperature = opened.config.temperature if calibrated else 1.0
    if engine != "torch":
        from trainables.use.onnx_network import onnx_network

        network = onnx_network(opened.path, engine, opened.config)
        return Model(opened.config, [(opened.preprocessing, network)], temperature=temperature)
    if ensemble:
        return Model(opened.config, members_of(opened, trust_code=trust_code))
    members = [(opened.preprocessing, module_of(opened, trust_code=trust_code))]
    return Model(opened.config, members, temperature=temperature)
