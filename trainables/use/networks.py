"""Builds the module of a saved model: the plain network with its input layer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from torch import Tensor, nn

from trainables import models
from trainables.base.errors import ModelError
from trainables.base.hyperparameters import Hyperparameters
from trainables.trials.artifact import from_bytes, metadata_of
from trainables.use.input_layers import (
    SavedNetwork,
    ScaledInputs,
    TermCounts,
    input_layer,
    without_inputs,
)
from trainables.use.preprocessing import Preprocessing
from trainables.use.saved_model import WEIGHTS, ModelConfig, ModelFolder, reading
from trainables.user_code.code import OWN

if TYPE_CHECKING:
    from trainables.user_code.code import UserCode

_INPUTS = "inputs."


def assembled(config: ModelConfig, kept: Mapping[str, Tensor], *, code: "UserCode | None") -> SavedNetwork:
    """Return the module from the state that a trial kept of a network (`trainables.trials.artifact`)."""
    own = without_inputs(kept)
    hyperparameters = Hyperparameters.from_dict(config.hyperparameters)
    shape, num_classes = config.input_shape, len(config.classes)
    try:
        if config.model == OWN:
            assert code is not None, "a user's own network needs its code"
            network = code.build(hyperparameters, shape, num_classes)
            network.load_state_dict(own)
        else:
            network = models.saved_module(config.model, hyperparameters, shape, num_classes, own)
    except RuntimeError as error:
        raise ModelError(
            f"the weights do not fit the network: {error}", "Take another copy of the model."
        ) from None
    return SavedNetwork(input_layer(kept), network).eval()


def built(config: ModelConfig, state: Mapping[str, Tensor], *, code: "UserCode | None") -> SavedNetwork:
    """Return the module from its own state, as `weights.safetensors` has it."""
    inputs: nn.Module = nn.Identity()
    if f"{_INPUTS}weights" in state:
        inputs = TermCounts(state[f"{_INPUTS}weights"])
    elif f"{_INPUTS}mean" in state:
        inputs = ScaledInputs(state[f"{_INPUTS}mean"], state[f"{_INPUTS}factor"], state.get(f"{_INPUTS}fill"))
    hyperparameters = Hyperparameters.from_dict(config.hyperparameters)
    shape, num_classes = config.input_shape, len(config.classes)
    if config.model == OWN:
        assert code is not None, "a user's own network needs its code"
        network = code.build(hyperparameters, shape, num_classes)
    else:
        network = models.plain_module(config.model, hyperparameters, shape, num_classes)
    module = SavedNetwork(inputs, network)
    try:
        module.load_state_dict(dict(state))
    except RuntimeError as error:
        raise ModelError(
            f"the weights do not fit the network: {error}", "Take another copy of the model."
        ) from None
    return module.eval()


def module_of(folder: ModelFolder, *, trust_code: bool = False) -> SavedNetwork:
    """Return a folder's network in evaluation mode: raw inputs (examples, *shape) to logits (examples, classes).

    Raises ModelError where the network is built by a user's code that is not trusted.
    """
    from safetensors.torch import load

    code, content = folder.code(trust_code=trust_code), folder.read(WEIGHTS)
    with reading(folder.path):
        return built(folder.config, load(content), code=code)


def members_of(folder: ModelFolder, *, trust_code: bool = False) -> list[tuple[Preprocessing, nn.Module]]:
    """Return every replicate as a module with its preprocessing: the texts of each have a vocabulary of its own."""
    if not folder.blocks:
        raise ModelError(
            f"{folder.path} holds one network and no others for an ensemble", "Leave out --ensemble."
        )
    code = folder.code(trust_code=trust_code)
    members: list[tuple[Preprocessing, nn.Module]] = []
    for name in folder.blocks:
        data = folder.read(name)
        with reading(folder.path):
            terms = tuple(metadata_of(data).get("vocabulary", ()))
            module = assembled(folder.config, from_bytes(data), code=code)
            members.append((replace(folder.preprocessing, terms=terms), module))
    return members
