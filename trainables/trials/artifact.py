"""A trained network as safetensors bytes, which contain data only: loading them never runs code."""

import json
from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

METADATA = "network"
"""The single entry of the file's metadata; safetensors would write several entries in random order."""


def to_bytes(state: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> bytes:
    """Return one network's weights and the metadata to rebuild it; equal input gives equal bytes.

    `metadata` is any JSON data.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    return bytes(save(plain, metadata={METADATA: json.dumps(metadata, sort_keys=True)}))


def from_bytes(data: bytes) -> dict[str, Tensor]:
    """Return the weights; raise safetensors' error if the bytes are damaged."""
    loaded: dict[str, Any] = load(data)
    return {name: torch.as_tensor(value) for name, value in loaded.items()}


def metadata_of(data: bytes) -> dict[str, Any]:
    """Return the metadata of bytes that `from_bytes` accepts."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    metadata: dict[str, Any] = json.loads(header["__metadata__"][METADATA])
    return metadata
