"""Makes the files of a model folder from what a trial kept of its networks, and examines the chosen one."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from trainables.trials.artifact import from_bytes, metadata_of
from trainables.use import evaluation, examples, images
from trainables.use.architecture import architecture
from trainables.use.examples import features_of
from trainables.use.input_layers import SavedNetwork
from trainables.use.kept_reference import reference_of
from trainables.use.model import Model
from trainables.use.model_card import model_card
from trainables.use.networks import assembled
from trainables.use.preprocessing import Preprocessing
from trainables.use.saved_model import (
    CONFIG,
    MANIFEST,
    PREPROCESSING,
    REFERENCE,
    WEIGHTS,
    ModelConfig,
    code_files,
    manifest,
    to_json,
)

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset
    from trainables.data.splits import Split
    from trainables.user_code.code import UserCode

Rows = NDArray[np.int64]

EVALUATION, TRAINING, ARCHITECTURE, CARD = (
    "evaluation.json",
    "training_config.json",
    "architecture.txt",
    "README.md",
)

MAX_EXCERPT: Final = 300
"""Characters of a text that are shown."""

NUM_WORDS: Final = 6
"""Words of a text that weighed most."""

CHUNK: Final = 1000
"""Examples that are computed at a time."""


@dataclass(frozen=True, kw_only=True)
class MadeModel:
    """The files of a folder by name, the manifest last, and the chosen network's evaluation as JSON data."""

    files: Mapping[str, bytes]
    examined: Mapping[str, Any]


def make_model(
    config: ModelConfig,
    *,
    kept: bytes,
    blocks: Mapping[str, bytes],
    dataset: "Dataset",
    split: "Split",
    training: Mapping[str, Any],
    card: Mapping[str, Any],
    code: "UserCode | None" = None,
) -> MadeModel:
    """Return the model of the network `kept`, with temperature and scores.

    `blocks` are the files of all replicates by name, `split` is the chosen one's: the temperature is fitted on its
    validation part, and it is examined on its test part. `training` becomes training_config.json, `card` has what the
    model card says beside that (`trainables.use.model_card`).
    """
    state, metadata = from_bytes(kept), metadata_of(kept)
    module = assembled(config, state, code=code)
    terms = tuple(metadata.get("vocabulary", ()))
    preprocessing = Preprocessing.of(dataset, shape=config.input_shape, terms=terms)
    logits = {
        name: logits_of(module, dataset, preprocessing, getattr(split, name))
        for name in ("validation", "test")
    }
    temperature = evaluation.fit_temperature(logits["validation"], dataset.targets[split.validation])
    config = replace(config, temperature=temperature)
    targets = dataset.targets[split.test]
    examined = {
        "trial_number": config.trial,
        "block": config.block,
        "chosen": config.chosen,
        "kind": preprocessing.kind,
        **evaluation.evaluation(logits["test"], targets, config.classes, temperature=temperature),
    }
    probabilities = evaluation.probabilities_of(logits["test"])
    for name, places in (
        ("mistakes", evaluation.most_confident_mistakes(probabilities, targets)),
        ("samples", evaluation.sample_of(len(targets), seed=config.block)),
    ):
        examined[name] = [
            _shown(int(place), probabilities, module, dataset, preprocessing, split.test, config)
            for place in places
        ]
    files = dict(blocks)
    if code is not None and config.code_file is None:
        own, file, modules = code_files(code)
        files |= own
        config = replace(config, code_file=file, code_modules=modules)
    drawn = examples.draw_examples(dataset, preprocessing, split, seed=config.block)
    files |= {
        examples.FILE: examples.to_bytes(drawn, are_counts=preprocessing.kind == "text"),
        WEIGHTS: _weights(module),
        CONFIG: to_json(config.to_dict()),
        PREPROCESSING: to_json(preprocessing.to_dict()),
        TRAINING: to_json(training),
        EVALUATION: to_json(examined),
        ARCHITECTURE: architecture(module.network, config.input_shape).encode(),
        CARD: model_card(config, preprocessing, examined, card).encode(),
    }
    weights = state["texts.weights"].numpy() if "texts.weights" in state else None
    reference = reference_of(Model(config, [(preprocessing, module)]), dataset, split.test, weights=weights)
    if reference is not None:
        files[REFERENCE] = reference.to_bytes()
    return MadeModel(files={**files, MANIFEST: manifest(files)}, examined=examined)


def logits_of(
    module: nn.Module, dataset: "Dataset", preprocessing: Preprocessing, rows: Rows
) -> NDArray[np.float64]:
    """Return the module's logits (rows, classes) for these rows of its dataset, in float64."""
    made = []
    with torch.inference_mode():
        for start in range(0, len(rows), CHUNK):
            part = features_of(dataset, preprocessing, rows[start : start + CHUNK])
            made.append(module(torch.from_numpy(part)).double().numpy())
    return np.concatenate(made)


def _weights(module: nn.Module) -> bytes:
    from safetensors.torch import save

    return bytes(save({name: value.contiguous() for name, value in module.state_dict().items()}))


def _shown(
    place: int,
    probabilities: NDArray[np.float64],
    module: SavedNetwork,
    dataset: "Dataset",
    preprocessing: Preprocessing,
    test: Rows,
    config: ModelConfig,
) -> dict[str, Any]:
    """Return one test example for a reader: its row from 0, classes and confidence, with its picture or its text."""
    row, predicted = int(test[place]), int(probabilities[place].argmax())
    told: dict[str, Any] = {
        "row": row,
        "true": int(dataset.targets[row]),
        "predicted": predicted,
        "confidence": float(probabilities[place, predicted]),
    }
    if preprocessing.kind == "image":
        png = images.to_png(dataset.inputs[row], preprocessing.shape, preprocessing.low, preprocessing.high)
        told["picture"] = base64.b64encode(png).decode()
    if preprocessing.kind == "text":
        told["text"] = excerpt(dataset.raw_texts[row]) if dataset.raw_texts else ""
        told["words"] = weighty_words(
            module, features_of(dataset, preprocessing, test[place : place + 1]), preprocessing
        )
    return told


def excerpt(text: str) -> str:
    """Return the beginning of a text, whole words, at most MAX_EXCERPT characters."""
    plain = " ".join(text.split())
    return plain if len(plain) <= MAX_EXCERPT else f"{plain[:MAX_EXCERPT].rsplit(' ', 1)[0]} ..."


def weighty_words(
    module: SavedNetwork, counts: NDArray[np.float32], preprocessing: Preprocessing
) -> list[list[Any]]:
    """Return the terms that speak most for the predicted class of one text, each with its share, largest first.

    What a term contributes is its feature times the gradient of the predicted class's logit, less the mean logit, with
    respect to it ("gradient x input", Shrikumar et al. 2016, arXiv:1605.01713). Terms that speak against it are left
    out; shares are of the sum over the terms that speak for it.
    """
    features = module.inputs(torch.from_numpy(counts)).detach().requires_grad_()
    logits = module.network(features)
    (logits[0].max() - logits[0].mean()).backward()
    assert features.grad is not None, "the network's answer does not depend on its input"
    weights = (features.grad * features)[0].detach().double().numpy()
    for_it = np.maximum(weights, 0)
    order = np.argsort(-for_it, kind="stable")[:NUM_WORDS]
    total = for_it.sum() or 1.0
    return [
        [preprocessing.terms[place], float(for_it[place] / total)] for place in order if for_it[place] > 0
    ]
