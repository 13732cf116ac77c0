"""Augmentation: known pictures changed by known amounts, what is drawn, and whom it reaches."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from search_spaces import spaces
from search_spaces.augmentation import KINDS as SEARCHED_KINDS
from tests.trainables.signals import in_float64
from tests.trainables.small import trial_spec
from trainables import datasets
from trainables.base.augmentation_kinds import KINDS, kinds_of
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.mask_generator import RandomWords
from trainables.data.augmentation import AMOUNTS, Augmentation, augmentation_of, warp
from trainables.data.stack_data import StackData
from trainables.training.loop import train
from trainables.training.stack import Stack
from trainables.trials.checkpoint import restore, save

ALL = "+".join(KINDS)
SEEDS = (11, 12, 13)


def picture(height: int = 12, width: int = 12) -> Tensor:
    """A smooth, lopsided picture with dark edges, (height, width)."""
    y, x = np.mgrid[0:height, 0:width]
    bumps = np.exp(-((y - 4) ** 2 + (x - 3) ** 2) / 4) + 0.5 * np.exp(-((y - 7) ** 2 + (x - 7.5) ** 2) / 3)
    return torch.from_numpy(bumps)


def amounts(**values: float) -> Tensor:
    return torch.tensor([[values.get(name, 0.0) for name in AMOUNTS]], dtype=torch.float64)


def warped(values: Tensor, **by: float) -> Tensor:
    result: Tensor = warp(values[None, None], amounts(**by))[0, 0]
    return result


def drawn(
    *, seed: int = 3, first: int = 0, whole: int = 3, part: int = 3, examples: int = 500, kinds: str = ALL
) -> Tensor:
    words = RandomWords(torch.Generator().manual_seed(seed), first=first, whole=whole)
    like = torch.zeros(part, examples, 64)
    return Augmentation(kinds_of(kinds), (8, 8), words, like).draw(like)


def inverse_of(matrix: list[list[float]]) -> Callable[[np.ndarray], np.ndarray]:
    """Transform a picture as scipy does, by a matrix of (row, column) about the middle."""

    def transform(values: np.ndarray) -> np.ndarray:
        back = np.linalg.inv(np.array(matrix))
        middle = (np.array(values.shape) - 1) / 2
        moved: np.ndarray = ndimage.affine_transform(
            values, back, offset=middle - back @ middle, order=1, mode="constant"
        )
        return moved

    return transform


class TestWarp:
    def test_nothing_changes_where_every_amount_is_zero(self) -> None:
        pictures = torch.rand(5, 3, 9, 7, dtype=torch.float64)
        changed = warp(pictures, torch.zeros(5, len(AMOUNTS), dtype=torch.float64))
        torch.testing.assert_close(changed, pictures)

    def test_a_shift_by_whole_pixels_moves_right_and_down_and_leaves_black(self) -> None:
        values = torch.rand(10, 20, dtype=torch.float64)
        changed = warped(values, shift_x=0.1, shift_y=0.2)
        torch.testing.assert_close(changed[2:, 2:], values[:-2, :-2])
        assert changed[:2].abs().max() < 1e-12
        assert changed[:, :2].abs().max() < 1e-12

    def test_a_quarter_turn_is_against_the_clock(self) -> None:
        values = torch.rand(9, 9, dtype=torch.float64)
        torch.testing.assert_close(warped(values, rotation=math.pi / 2), torch.rot90(values))

    def test_a_flip_mirrors_left_and_right(self) -> None:
        values = torch.rand(6, 9, dtype=torch.float64)
        torch.testing.assert_close(warped(values, flip=-0.3), values.flip(1))
        torch.testing.assert_close(warped(values, flip=0.3), values)

    @pytest.mark.parametrize("size", [(12, 12), (12, 17)])
    @pytest.mark.parametrize(
        ("by", "matrix"),
        [
            # In scipy's (row, column): rows grow downwards, so a turn against the clock lowers the row.
            ({"rotation": 0.3}, [[math.cos(0.3), -math.sin(0.3)], [math.sin(0.3), math.cos(0.3)]]),
            ({"zoom": 0.2}, [[1.2, 0], [0, 1.2]]),
            ({"zoom": -0.2}, [[0.8, 0], [0, 0.8]]),
            ({"shear": 0.2}, [[1, 0], [0.2, 1]]),
        ],
    )
    def test_it_comes_to_what_scipy_comes_to(
        self, size: tuple[int, int], by: dict[str, float], matrix: list[list[float]]
    ) -> None:
        values = picture(*size)
        expected = inverse_of(matrix)(values.numpy())
        changed = warped(values, **by).numpy()
        # The outermost pixels differ: scipy cuts off at their centres, torch at their outer edges.
        np.testing.assert_allclose(changed[2:-2, 2:-2], expected[2:-2, 2:-2], atol=1e-9)
        assert np.abs(changed - values.numpy()).max() > 0.05

    def test_mirror_shear_turn_zoom_and_shift_follow_each_other(self) -> None:
        values = picture(16, 16)
        turn = np.array([[math.cos(0.2), -math.sin(0.2)], [math.sin(0.2), math.cos(0.2)]])
        matrix = 1.1 * turn @ np.array([[1, 0], [0.15, 1]]) @ np.diag([1, -1])
        expected = inverse_of(matrix.tolist())(values.numpy())
        changed = warped(values, flip=-1, shear=0.15, rotation=0.2, zoom=0.1, shift_x=1 / 16).numpy()
        np.testing.assert_allclose(changed[2:-2, 3:-2], expected[2:-2, 2:-3], atol=1e-9)

    def test_each_picture_has_its_own_amounts_and_channels_move_together(self) -> None:
        pictures = picture().expand(2, 3, 12, 12)
        both = warp(pictures, torch.cat([amounts(rotation=0.3), amounts(shift_x=0.2)]))
        torch.testing.assert_close(both[0], warped(picture(), rotation=0.3).expand(3, 12, 12))
        torch.testing.assert_close(both[1], warped(picture(), shift_x=0.2).expand(3, 12, 12))


class TestDraw:
    def test_amounts_are_spread_evenly_over_their_ranges(self) -> None:
        most = {"shift_x": 0.2, "shift_y": 0.2, "rotation": math.radians(20), "zoom": 0.2, "shear": 0.2}
        found = drawn(examples=20_000).flatten(0, 1).double()
        for name, largest in most.items():
            values = found[:, AMOUNTS.index(name)] / largest
            assert float(values.abs().max()) < 1
            assert np.allclose(
                np.quantile(values, [0.1, 0.25, 0.5, 0.75, 0.9]), [-0.8, -0.5, 0, 0.5, 0.8], atol=0.03
            )
        flipped = float((found[:, AMOUNTS.index("flip")] < 0).double().mean())
        assert abs(flipped - 0.5) < 0.02

    def test_amounts_examples_steps_and_replicates_are_independent(self) -> None:
        found = drawn(examples=5000).double()
        columns = torch.cat([found[replicate] for replicate in range(3)], dim=1)
        shifted = torch.cat([columns, columns.roll(1, 0)], dim=1)
        off_diagonal = torch.corrcoef(shifted.t()) - torch.eye(36, dtype=torch.float64)
        assert float(off_diagonal.abs().max()) < 0.08
        words = RandomWords(torch.Generator().manual_seed(3))
        like = torch.zeros(1, 100, 64)
        augmentation = Augmentation(KINDS, (8, 8), words, like)
        assert not torch.equal(augmentation.draw(like), augmentation.draw(like))

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_kind_that_is_not_asked_for_is_not_drawn(self, kind: str) -> None:
        found = drawn(kinds=kind).flatten(0, 1)
        moved = {name for name, values in zip(AMOUNTS, found.unbind(1), strict=True) if values.any()}
        assert moved == ({"shift_x", "shift_y"} if kind == "shift" else {kind})

    def test_the_same_seed_draws_the_same_and_a_part_what_the_whole_draws(self) -> None:
        whole = drawn()
        assert torch.equal(whole, drawn())
        assert not torch.equal(whole, drawn(seed=4))
        parts = [drawn(part=1), drawn(first=1, part=2)]
        assert torch.equal(torch.cat(parts), whole)


class TestTraining:
    """Digits in a stack of three, on one thread."""

    HP = Hyperparameters(depth=2, width=16, dropout=0.3, augmentation="shift+rotation")

    def records(self, data: StackData, hp: Hyperparameters, part: range | None = None) -> list[str]:
        """Return what is recorded of each replicate, its number left out."""
        stack = Stack.make("mlp", hp, data, seeds=SEEDS, part=part)
        by_replicate: dict[int, list[str]] = {}
        for records in train(stack, epochs=2, layers_at=(0, 2)):
            for record in records:
                by_replicate.setdefault(record.replicate, []).append(repr(replace(record, replicate=0)))
        return [repr(each) for each in by_replicate.values()]

    def test_it_is_reproducible_and_the_same_in_parts(self, few_digits: StackData) -> None:
        whole = self.records(few_digits, self.HP)
        assert whole == self.records(few_digits, self.HP)
        few_digits = in_float64(few_digits)
        parts = [self.weights(few_digits, range(1)), self.weights(few_digits, range(1, 3))]
        torch.testing.assert_close(torch.cat(parts), self.weights(few_digits, None), rtol=1e-9, atol=1e-12)

    def weights(self, data: StackData, part: range | None) -> Tensor:
        stack = Stack.make("mlp", self.HP, data, seeds=SEEDS, part=part)
        for _ in train(stack, epochs=2):
            pass
        return stack.model.parameters.value("output.weight").clone()

    def test_it_changes_training_and_what_is_measured_before_it(self, few_digits: StackData) -> None:
        off = replace(self.HP, augmentation="none")
        with_it, without = self.records(few_digits, self.HP), self.records(few_digits, off)
        assert all(a != b for a, b in zip(with_it, without, strict=True))
        assert with_it[0] != with_it[1]

    @pytest.mark.usefixtures("by_torch")
    def test_it_leaves_the_data_and_every_other_pass_alone(self, few_digits: StackData) -> None:
        before = few_digits.inputs.clone()
        passes: list[tuple[bool, Tensor]] = []
        stack = Stack.make("mlp", self.HP, few_digits, seeds=SEEDS)
        forward = stack.model.forward

        def noting(inputs: Tensor, *, training: bool) -> Tensor:
            passes.append((training, inputs.clone()))
            return forward(inputs, training=training)

        stack.model.forward = noting  # type: ignore[method-assign]
        for _ in train(stack, epochs=1, layers_at=(0,)):
            pass
        assert torch.equal(few_digits.inputs, before)
        evaluated = torch.cat([inputs for training, inputs in passes if not training], dim=1)
        assert torch.equal(evaluated, few_digits.gather(few_digits.validation))
        seen = torch.cat([inputs for training, inputs in passes if training], dim=1)
        known = {row.tobytes() for row in few_digits.inputs.numpy()}
        assert not any(row.tobytes() in known for row in seen.reshape(-1, 64).numpy())

    def test_nothing_is_drawn_where_there_is_none(self, few_digits: StackData) -> None:
        assert (
            augmentation_of(replace(self.HP, augmentation="none"), few_digits, RandomWords(torch.Generator()))
            is None
        )

    def test_a_resumed_trial_goes_on_as_if_it_had_not_stopped(self, few_digits: StackData) -> None:
        task = trial_spec(augmentation="shift+zoom")
        through, first, second = (
            Stack.make("mlp", task.hyperparameters, few_digits, seeds=task.seeds) for _ in range(3)
        )
        list(train(through, epochs=2))
        list(train(first, epochs=1))
        restore(second, save(first, task), task)
        list(train(second, epochs=2))
        assert torch.equal(through.model.parameters.values, second.model.parameters.values)


class TestNames:
    def test_the_search_space_knows_the_kinds_that_can_be_trained_with(self) -> None:
        assert SEARCHED_KINDS == KINDS

    @pytest.mark.parametrize("wrong", ["", "shift+", "shift+shift", "none+shift", "blur", "Shift"])
    def test_a_wrong_one_is_refused_by_both(self, wrong: str) -> None:
        assert not spaces()["augmentation"].contains(wrong)
        with pytest.raises(ValueError, match="augmentation: none, or some of shift"):
            Hyperparameters(augmentation=wrong)

    def test_the_order_makes_no_difference(self) -> None:
        space = spaces()["augmentation"]
        assert (
            space.canonical("zoom+rotation+shift")
            == space.canonical("shift+rotation+zoom")
            == "shift+rotation+zoom"
        )
        assert space.canonical("none") == "none"

    def test_datasets_list_what_keeps_their_labels(self) -> None:
        assert datasets.load("digits").augmentations == ("shift", "rotation", "zoom", "shear")
        assert datasets.load("synthetic").augmentations == ()

    def test_a_dataset_with_an_unknown_kind_or_without_pictures_is_refused(self) -> None:
        digits = datasets.load("digits")
        with pytest.raises(ValueError, match=r"some of shift, .* got 'blur'"):
            replace(digits, augmentations=("blur",))
        with pytest.raises(ValueError, match="augmentations are for images"):
            replace(digits, shape=None)
