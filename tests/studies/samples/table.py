"""Does a second layer help on a table? What a user's file held when the samples were recorded."""

from search_spaces.optimizers import LEARNING_RATES
from studies.study import Confirm, Search, Study

STUDY = Study(
    question="Does a second hidden layer help with flowers?",
    dataset="csv:flowers.csv",
    target="kind",
    factors={"depth": (1, 2)},
    nuisances={"learning_rate": LEARNING_RATES},
    fixed={"width": 4, "batch_size": 16},
    replicates=1,
    search=Search(trials_per_cell=3, rungs=(1, 3)),
    confirm=Confirm(epochs=3),
)
