"""A plan trained on a real Ray, and what is in the storage afterwards."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reports.pages.page import write_report
from studies.cluster.cluster import Cluster
from studies.database.draining import open_spool
from studies.database.rows import TrialRow
from studies.database.store import Store
from studies.database.writer import Writer
from studies.planning.plan import Plan
from studies.planning.resources import Resources
from studies.raytune.checkpoints import Checkpoints
from studies.raytune.experiment import open_queue, train_study
from studies.results.report_inputs import report_inputs
from studies.run_log import run_events
from studies.search.progress import Progress, planned_progress
from tests.studies.database.so_far import so_far
from trainables.data.dataset import Dataset
from trainables.data.splits import split_blocks

ONE_WORKER = Resources(workers=1, dashboard=False)


class Trained:
    """A plan trained on the shared Ray, and what is in the storage afterwards."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        folder: Path,
        cluster: Cluster,
        digits: Dataset,
        *,
        resources: Resources = ONE_WORKER,
    ) -> None:
        self.plan, self.store, self.folder = plan, store, folder
        self.cluster, self.digits, self.resources = cluster, digits, resources
        study = store.create_study(
            name=plan.name, question="?", plan=plan.to_dict(), plan_hash=plan.hash, seed=plan.seed
        )
        self.study, self.id = study, study.id
        details = {"dataset": {"name": "digits", "num_classes": 10}}
        run_events.note_start(store, self.id, details)

    def train(self, should_stop: Callable[[], bool] = lambda: False) -> Progress:
        queue = open_queue(self.plan, self.store, self.id)
        progress = planned_progress(self.plan, so_far(self.trials), num_networks=0, num_diverged=0)
        spool = open_spool(self.store, self.study, self.folder)
        with Writer(self.store, self.id, spool, max_seconds_of_retries=0.2) as writer:
            train_study(
                self.plan,
                writer=writer,
                study_id=self.id,
                queue=queue,
                checkpoints=Checkpoints.open(self.store, self.id, queue, self.folder),
                dataset=self.digits,
                splits=split_blocks(self.digits, seed=self.plan.seed, blocks=range(2)),
                folder=self.folder,
                cluster=self.cluster,
                resources=self.resources,
                progress=progress,
                versions={"torch": "a version"},
                go_on=lambda: False,
                should_stop=should_stop,
            )
            assert writer.settle()
        return progress

    @property
    def trials(self) -> list[TrialRow]:
        return self.store.trials(self.id)

    def trial(self, number: int) -> TrialRow:
        return next(trial for trial in self.trials if trial.number == number)

    def report(self) -> dict[str, Any]:
        study = self.store.find_study(self.plan.name)
        assert study is not None
        page = write_report(report_inputs(self.store, study), self.folder)
        assert "<script>alert(1)" not in page.read_text()
        content: dict[str, Any] = json.loads(page.with_name("report.json").read_text())
        return content

    def frame(self, name: str) -> Any:
        from studies.database.frames import frames

        return getattr(frames, name)(self.store, self.id)
