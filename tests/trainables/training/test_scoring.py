"""Top-2 accuracy, macro F1 and ROC AUC of a stack, against scikit-learn's for each replicate."""

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch import Tensor

from trainables.training.evaluation import Tally, predict, roc_auc


def values(logits: Tensor, truth: Tensor, *, chunks: int = 3) -> dict[str, list[float]]:
    """Return each metric by replicate, told in some chunks."""
    tally = Tally(logits.shape[0], logits.shape[1], logits.device)
    for part, of_part in zip(logits.chunk(chunks, 2), truth.chunk(chunks, 1), strict=True):
        tally.add(part, of_part, predict(part))
    return {name: value.tolist() for name, value in tally.values().items()}


def answers(num_classes: int, *, seed: int, examples: int = 200) -> tuple[Tensor, Tensor]:
    """Return logits of three replicates that know something, and what is true."""
    generator = torch.Generator().manual_seed(seed)
    truth = torch.randint(num_classes, (3, examples), generator=generator)
    logits = torch.randn(3, num_classes, examples, generator=generator)
    return logits.scatter_add(1, truth.unsqueeze(1), torch.ones(3, 1, examples)), truth


@pytest.mark.parametrize("num_classes", [2, 3, 10])
def test_they_are_what_scikit_learn_computes(num_classes: int) -> None:
    logits, truth = answers(num_classes, seed=num_classes)
    found = values(logits, truth)
    for replicate in range(3):
        true, scores = truth[replicate].numpy(), logits[replicate].T.numpy()
        expected = {
            "macro_f1": metrics.f1_score(true, scores.argmax(1), average="macro"),
            "top2_accuracy": 1.0
            if num_classes == 2
            else metrics.top_k_accuracy_score(true, scores, k=2, labels=range(num_classes)),
        }
        if num_classes == 2:
            expected["roc_auc"] = metrics.roc_auc_score(true, scores[:, 1] - scores[:, 0])
        assert {name: value[replicate] for name, value in found.items()} == pytest.approx(expected)


def test_macro_f1_counts_no_class_that_is_neither_true_nor_answered() -> None:
    truth, answered = torch.tensor([[0, 0, 1, 1, 1]]), torch.tensor([[0, 1, 1, 1, 3]])
    logits = torch.nn.functional.one_hot(answered, 5).transpose(1, 2).float()
    expected = metrics.f1_score(truth[0], answered[0], average="macro")
    assert values(logits, truth)["macro_f1"] == pytest.approx([expected])


@pytest.mark.parametrize("num_classes", [2, 4])
def test_a_network_that_answers_all_alike_is_not_praised(num_classes: int) -> None:
    truth = torch.arange(20).remainder(num_classes).unsqueeze(0)
    found = values(torch.zeros(1, num_classes, 20), truth)
    assert found["top2_accuracy"] == [1.0 if num_classes == 2 else 0.25]
    expected = metrics.f1_score(truth[0], np.zeros(20), average="macro")
    assert found["macro_f1"] == pytest.approx([expected])
    assert found.get("roc_auc", [0.5]) == [0.5]


@pytest.mark.parametrize("num_values", [1, 2, 5, 1000])
def test_roc_auc_counts_ties_as_a_half(num_values: int) -> None:
    generator = torch.Generator().manual_seed(num_values)
    scores = torch.randint(num_values, (4, 150), generator=generator).float()
    truth = (torch.rand(4, 150, generator=generator) < 0.3).long()
    expected = [metrics.roc_auc_score(*pair) for pair in zip(truth.numpy(), scores.numpy(), strict=True)]
    assert roc_auc(scores, truth).tolist() == pytest.approx(expected, abs=1e-12)


def test_roc_auc_of_one_class_is_not_a_number() -> None:
    assert roc_auc(torch.rand(1, 5), torch.ones(1, 5, dtype=torch.int64)).isnan().all()
