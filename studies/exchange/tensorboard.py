"""`--tensorboard`: one folder of TensorBoard's event files for each network, in a folder for each cell."""

import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from reports.pages.atomic_files import make_private, write_whole
from studies.base.states import Phase
from studies.base.steps import Tell
from studies.database.frames.networks import count_networks
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.definition.overrides import check_name
from studies.exchange.destinations import check_folder, load_extra, make_folder
from studies.exchange.networks import Network, networks, telling

OPTION: Final = "--tensorboard"
EVENTS: Final = "events.out.tfevents.0.studies"
"""The name of an event file; TensorBoard reads every file with `tfevents` in its name."""
FILE_VERSION: Final = "brain.Event:2"
MOST_CHARACTERS: Final = 120
"""Of a cell's folder name: file systems allow 255 bytes."""


def check(folder: Path, study: StudyRow) -> None:
    """Raise UsageError unless TensorBoard is installed and event files can be written below `folder`."""
    _writers()
    check_folder(OPTION, folder)
    check_folder(OPTION, folder / check_name(study.name), study)


def export(store: Store, study: StudyRow, folder: Path, *, phase: Phase | None, tell: Tell) -> str:
    """Write the event file of each network that has none yet; return what is there now.

    A file appears whole or not at all, so that an export that was interrupted goes on where it stopped.
    """
    record_writer, protos = _writers()
    root = folder / study.name
    make_folder(root, study)
    total = count_networks(store, study.id, phase=phase)
    for network in telling(networks(store, study, phase=phase), total, tell, what="TensorBoard"):
        path = root / _file_name(network.group) / _file_name(network.name) / EVENTS
        if path.exists():
            continue
        make_private(path.parent)
        buffer = io.BytesIO()
        writer = record_writer.RecordWriter(buffer)
        for event in _events(network, protos):
            writer.write(event.SerializeToString())
        write_whole(path, buffer.getvalue())
    return f"{total:,} networks: {root}"


def _events(network: Network, protos: Mapping[str, Any]) -> Iterator[Any]:
    """Yield a network's events: its hyperparameters, its measures by epoch, its final scores and its end."""
    event, summary, hparams = protos["event"].Event, protos["summary"].Summary, protos["hparams"]
    start, end = network.started_at.timestamp(), network.ended_at.timestamp()
    last = max(network.curves, default=0)
    yield event(wall_time=start, file_version=FILE_VERSION)
    # The networks of a trial are sessions of one group: TensorBoard's table shows the mean of their scores.
    group = f"trial {network.trial}"
    told = {**network.params, "phase": str(network.phase)}
    yield event(wall_time=start, summary=hparams.hparams_pb(told, trial_id=group, start_time_secs=start))
    for epoch, measures in network.curves.items():
        values = [summary.Value(tag=tag, simple_value=value) for tag, value in measures.items()]
        yield event(wall_time=network.seconds_at(epoch), step=epoch, summary=summary(value=values))
    finals = [summary.Value(tag=f"final/{tag}", simple_value=value) for tag, value in network.scores.items()]
    yield event(wall_time=end, step=last, summary=summary(value=finals))
    yield event(wall_time=end, summary=summary(value=[_session_end(network, protos, end)]))


def _session_end(network: Network, protos: Mapping[str, Any], end: float) -> Any:
    """Return the value that ends a session of the table of hyperparameters."""
    api, plugin, metadata = protos["api"], protos["plugin"], protos["metadata"]
    status = api.STATUS_SUCCESS if network.is_sound else api.STATUS_FAILURE
    ended = plugin.HParamsPluginData(
        session_end_info=plugin.SessionEndInfo(status=status, end_time_secs=end),
        version=metadata.PLUGIN_DATA_VERSION,
    )
    about = protos["summary"].SummaryMetadata()
    about.plugin_data.plugin_name = metadata.PLUGIN_NAME
    about.plugin_data.content = ended.SerializeToString()
    return protos["summary"].Summary.Value(
        tag=metadata.SESSION_END_INFO_TAG, metadata=about, tensor=metadata.NULL_TENSOR
    )


def _file_name(text: str) -> str:
    """Return a text as a folder's name.

    >>> _file_name("cell 3: depth=5, batch_norm=true")
    'cell_3_depth=5_batch_norm=true'
    """
    return re.sub(r"[^\w.=+-]+", "_", text).strip("_")[:MOST_CHARACTERS]


def _writers() -> tuple[Any, dict[str, Any]]:
    """Return TensorBoard's writer of records and the modules of its messages."""
    modules = {
        "record_writer": "summary.writer.record_writer",
        "event": "compat.proto.event_pb2",
        "summary": "compat.proto.summary_pb2",
        "hparams": "plugins.hparams.summary_v2",
        "api": "plugins.hparams.api_pb2",
        "plugin": "plugins.hparams.plugin_data_pb2",
        "metadata": "plugins.hparams.metadata",
    }
    loaded = {
        name: load_extra(f"tensorboard.{module}", option=OPTION, extra="tensorboard")
        for name, module in modules.items()
    }
    return loaded.pop("record_writer"), loaded
