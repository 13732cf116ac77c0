"""A trained network as safetensors bytes: data only, so that loading one never runs code."""

from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor


def to_bytes(state: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Return one network's weights with what is needed to build it again."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    return bytes(save(plain, metadata=dict(metadata)))


def from_bytes(data: bytes) -> dict[str, Tensor]:
    """Return the weights; raise safetensors' error where the bytes are damaged."""
    loaded: dict[str, Any] = load(data)
    return {name: torch.as_tensor(value) for name, value in loaded.items()}
