"""TF-IDF of texts in a stack: scikit-learn's numbers, fitted on each training part and on nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from tests.trainables.corpus import NUM_FEATURES, corpus, texts
from tests.trainables.small import splits_of
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.stack_data import StackData
from trainables.training.loop import train
from trainables.training.stack import Stack
from trainables.trials.artifact import from_bytes, metadata_of
from trainables.trials.reporting import train_trial_spec
from trainables.trials.trial_spec import TrialSpec

CPU = torch.device("cpu")
BLOCKS = (0, 1, 2)
WRITTEN, TARGETS = texts()
CORPUS = corpus(WRITTEN, TARGETS)


@pytest.fixture(scope="module")
def data() -> StackData:
    """The corpus with the splits of three blocks."""
    return StackData.make(CORPUS, splits_of(CORPUS, BLOCKS), CPU)


def test_each_block_has_the_features_of_scikit_learn_fitted_on_its_training_part(data: StackData) -> None:
    assert data.texts is not None
    for replicate, split in enumerate(splits_of(CORPUS, BLOCKS)):
        vectorizer = TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, vocabulary=data.texts.vocabulary(replicate)
        )
        vectorizer.fit([WRITTEN[row] for row in split.train])
        for part in ("train", "validation", "test"):
            written = [WRITTEN[row] for row in getattr(split, part)]
            expected = vectorizer.transform(written).toarray()
            gathered = data.gather(getattr(data, part))[replicate].numpy()
            assert gathered == pytest.approx(expected, abs=1e-5)
    assert len({tuple(data.texts.vocabulary(replicate)) for replicate in BLOCKS}) == 3


def test_a_gpus_fixed_shapes_give_the_same(data: StackData) -> None:
    assert data.texts is not None
    padded = replace(data, texts=replace(data.texts, is_padded=True))
    assert torch.equal(padded.gather(data.test), data.gather(data.test))


def test_a_poisoned_test_part_changes_nothing_in_training() -> None:
    split = splits_of(CORPUS, BLOCKS)[0]
    written, targets = list(WRITTEN), list(TARGETS)
    for place, row in enumerate(split.test):
        # Words that no other part has, words that tell classes apart in this part only, and other labels.
        written[row] = f"poison {'w00 w01' if place % 3 else 'w39'} poison poison"
        targets[row] = place % 3 % 2
    hp = Hyperparameters(depth=2, width=8, batch_norm=True, learning_rate=0.01, batch_size=16)
    records, vocabularies = [], []
    for dataset in (CORPUS, corpus(written, targets)):
        stack = Stack.make("mlp", hp, StackData.make(dataset, [split], CPU), seeds=(3,))
        assert stack.data.texts is not None
        vocabularies.append(stack.data.texts.vocabulary(0))
        records.append(list(train(stack, epochs=2, layers_at=(0, 1, 2))))
    poisoned = corpus(written, targets).texts
    assert poisoned is not None
    assert "poison" in poisoned.terms
    assert vocabularies[0] == vocabularies[1]
    assert records[0] == records[1]


def test_a_replicate_has_the_same_features_in_any_stack(data: StackData) -> None:
    whole = data.gather(data.train)
    part = data.part(range(1, 3))
    assert torch.equal(part.gather(part.train), whole[1:])
    alone = StackData.make(CORPUS, splits_of(CORPUS, BLOCKS)[1:2], CPU)
    assert torch.equal(alone.gather(alone.train), whole[1:2])


def test_a_text_without_a_known_word_is_all_zeros() -> None:
    dataset = corpus([*WRITTEN, "", "never seen"], [*TARGETS, 0, 1])
    data = StackData.make(dataset, splits_of(dataset, BLOCKS)[:1], CPU)
    rows = torch.tensor([[len(WRITTEN), 0, len(WRITTEN) + 1]])
    gathered = data.gather(rows)[0]
    assert (gathered[[0, 2]] == 0).all()
    assert gathered[1].square().sum() == pytest.approx(1, rel=1e-5)


def test_an_artifact_has_what_a_prediction_from_a_text_needs() -> None:
    trial_spec = TrialSpec(
        number=1,
        model="mlp",
        objective="val_loss",
        hyperparameters=Hyperparameters(depth=1, width=4, learning_rate=0.01),
        blocks=BLOCKS,
        seeds=(1, 2, 3),
        rungs=(1,),
        layers_at=(),
        reads_test=True,
        keeps_models=True,
    )
    data = StackData.make(CORPUS, splits_of(CORPUS, BLOCKS), CPU)
    *_, last = train_trial_spec(trial_spec, data, worker="here")
    assert data.texts is not None
    for replicate, model in enumerate(last.models):
        state, metadata = from_bytes(model), metadata_of(model)
        assert metadata["num_features"] == NUM_FEATURES
        assert metadata["vocabulary"] == data.texts.vocabulary(replicate)
        split = splits_of(CORPUS, BLOCKS)[replicate]
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), vocabulary=metadata["vocabulary"])
        vectorizer.fit([WRITTEN[row] for row in split.train])
        assert state["texts.weights"].numpy() == pytest.approx(vectorizer.idf_)


def test_the_fingerprint_tells_one_text_apart() -> None:
    others = [corpus([*WRITTEN[:-1], "w00 w01"], TARGETS), corpus(WRITTEN, TARGETS, num_features=31)]
    assert len({each.fingerprint for each in (CORPUS, *others)}) == 3
    assert corpus(*texts()).fingerprint == CORPUS.fingerprint


@pytest.mark.parametrize(
    "changes", [{"targets": np.zeros(3, np.int64)}, {"inputs": np.zeros((120, 2), np.float32)}]
)
def test_texts_that_do_not_fit_are_refused(
    changes: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.int64]]],
) -> None:
    with pytest.raises(ValueError, match=r"texts must be as many|one target each"):
        replace(CORPUS, **changes)  # type: ignore[arg-type]
