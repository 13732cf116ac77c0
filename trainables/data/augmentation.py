"""Augmentation: each training image is shifted, rotated, scaled, sheared and mirrored anew at each step."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from trainables.base.augmentation_kinds import MAX_DEGREES, MAX_SHEAR, MAX_SHIFT, MAX_ZOOM, kinds_of
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.mask_generator import RandomWords
from trainables.data.stack_data import StackData

AMOUNTS = ("shift_x", "shift_y", "rotation", "zoom", "shear", "flip")
"""What is drawn for an example: shifts as shares of width and height, radians counter-clockwise, the change of a scale
of 1, the shear's slope, and a number below 0 if the image is mirrored."""

_MOST = {
    "shift": {"shift_x": MAX_SHIFT, "shift_y": MAX_SHIFT},
    "rotation": {"rotation": math.radians(MAX_DEGREES)},
    "zoom": {"zoom": MAX_ZOOM},
    "shear": {"shear": MAX_SHEAR},
    "flip": {"flip": 1.0},
}


class Augmentation:
    """Changes every image of a batch by its own random amounts, uniformly distributed over their ranges.

    They derive from the stack's random integers: a replicate draws the same in whatever part of its stack it is.
    """

    def __init__(
        self, kinds: Sequence[str], shape: tuple[int, ...], words: RandomWords, like: Tensor
    ) -> None:
        """Change images of `shape`, (height, width) or (channels, height, width), by `kinds` of augmentation."""
        height, width = shape[-2:]
        self._image_shape = (shape[0] if len(shape) == 3 else 1, height, width)
        self._words = words
        most = {name: amount for kind in kinds for name, amount in _MOST[kind].items()}
        # Made here, because a captured step must not copy constants from the host.
        self._most = like.new_tensor([most.get(name, 0.0) for name in AMOUNTS])

    def apply(self, inputs: Tensor) -> Tensor:
        """Return inputs (replicates, examples, features) changed by new amounts; the given tensor is not modified."""
        images = inputs.reshape(-1, *self._image_shape)
        return warp(images, self.draw(inputs).flatten(0, 1)).view(inputs.shape)

    def draw(self, inputs: Tensor) -> Tensor:
        """Return amounts for a batch of inputs, shape (replicates, examples, `AMOUNTS`); 0 for kinds not asked for."""
        words = self._words.draw(inputs[:, :, :1].expand(-1, -1, len(AMOUNTS)))
        return words.to(inputs.dtype).add_(0.5).mul_(self._most / 2**15)


def warp(images: Tensor, amounts: Tensor) -> Tensor:
    """Return images (examples, channels, height, width), each changed by its row of `amounts` about its centre.

    It is mirrored first, then sheared, rotated, scaled and shifted. Interpolation is bilinear, and pixels from outside
    are 0: black, or the mean of a dataset that is scaled.
    """
    height, width = images.shape[-2:]
    shift_x, shift_y, angle, zoom, shear, flip = amounts.unbind(1)
    size, mirror = 1 + zoom, 1 - 2 * (flip < 0).to(amounts.dtype)
    cosine, sine = angle.cos() / size, angle.sin() / size
    # The inverse map, from where a pixel is shown to where it is read, in units of half a side.
    matrix = torch.stack(
        [
            mirror * (cosine - shear * sine),
            mirror * (-sine - shear * cosine) * (height / width),
            sine * (width / height),
            cosine,
        ],
        dim=1,
    ).view(-1, 2, 2)
    moved = -2 * matrix @ torch.stack([shift_x, shift_y], dim=1).unsqueeze(2)
    grid = affine_grid(torch.cat([matrix, moved], dim=2), list(images.shape), align_corners=False)
    return grid_sample(images, grid, align_corners=False)


def augmentation_of(
    hyperparameters: Hyperparameters, data: StackData, words: RandomWords
) -> Augmentation | None:
    """Return the augmentation of the training images, None if there is none."""
    kinds = kinds_of(hyperparameters.augmentation)
    if not kinds:
        return None
    return Augmentation(kinds, data.input_shape, words, data.inputs)
