"""What is measured of images and texts."""

import numpy as np
import pytest

from trainables.use.monitoring.descriptions import describe_images, describe_texts, frequent_words, words_of


def of(described: object, name: str) -> np.ndarray:
    features, names = described.features, described.names  # type: ignore[attr-defined]
    return np.asarray(features[:, list(names).index(name)])


def test_brightness_contrast_and_parts_of_an_image() -> None:
    image = np.zeros((1, 1, 12, 12), np.float32)
    image[..., :6] = 1
    found = describe_images(image)
    assert of(found, "brightness") == pytest.approx([0.5])
    assert of(found, "contrast") == pytest.approx([0.5])
    assert of(found, "part 1-1") == pytest.approx([1])
    assert of(found, "part 1-6") == pytest.approx([0])
    assert len(found.names) == 6 + 36
    assert "channel 1" not in found.names


def test_channels_are_told_apart() -> None:
    image = np.zeros((2, 3, 8, 8), np.float32)
    image[:, 1] = 0.6
    assert of(describe_images(image), "channel 2") == pytest.approx([0.6, 0.6])


def test_noise_raises_noise_and_blur_lowers_sharpness() -> None:
    random = np.random.default_rng(0)
    image = np.kron(random.random((1, 4, 4)), np.ones((7, 7)))
    noisy = image + random.normal(0, 0.1, image.shape)
    blurred = sum(np.roll(image, step, axis=2) for step in (-2, -1, 0, 1, 2)) / 5
    plain, with_noise, soft = (describe_images(each) for each in (image, noisy, blurred))
    assert of(with_noise, "noise") > 2 * of(plain, "noise")
    assert of(soft, "sharpness") < 0.8 * of(plain, "sharpness")


@pytest.mark.parametrize("shape", [(3, 1, 1, 1), (3, 2, 2), (3, 3, 2, 5)])
def test_small_images_and_constant_ones_have_finite_measures(shape: tuple[int, ...]) -> None:
    assert np.isfinite(describe_images(np.ones(shape)).features).all()


def test_a_text_by_hand() -> None:
    found = describe_texts(
        ["A good film. Not a good plot!", "", "zzz"], ["film", "good", "good film"], ["good"]
    )
    assert of(found, "words") == pytest.approx([5, 0, 1])  # a single letter is no word
    assert of(found, "unknown words")[[0, 2]] == pytest.approx([2 / 5, 1])
    assert np.isnan(of(found, "unknown words")[1])
    assert of(found, "length of a sentence")[0] == 2.5
    assert of(found, "signs")[0] == pytest.approx(2 / 29)
    assert of(found, "good") == pytest.approx([1, 0, 0])
    assert found.document_counts is not None
    assert list(found.document_counts) == [1, 1, 1]
    assert words_of(found.names) == ("good",)
    assert found.groups[-1].kind == "words"


def test_without_words_there_is_no_group_of_them() -> None:
    found = describe_texts(["one two"], ["one two"], [])
    assert found.features.shape == (1, 6)
    assert [group.kind for group in found.groups] == ["number"] * 6


def test_frequent_words_are_single_ones_with_the_lowest_weights() -> None:
    assert frequent_words(["a b", "rare", "common"], [1.0, 5.0, 2.0]) == ("common", "rare")
