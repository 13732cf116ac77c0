"""The files of examples/cluster: valid to what reads them, their commands parse, and no secret reaches a worker."""

import gzip
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from studies.definition.overrides import study_name
from tests.readme import ROOT
from tests.test_course import drafted
from tests.test_readme import parser_of

FOLDER = ROOT / "examples" / "cluster"
SHARED = Path(os.environ.get("STUDIES_TEST_SHARED") or ROOT.parent / "shared")
SCHEMA = SHARED / "data" / "ray.io_rayjobs.yaml.gz"
"""KubeRay's schema of a RayJob, where it is there."""
SECRETS = ("PGPASSWORD", "STUDIES_STORAGE")


def text(name: str) -> str:
    """Return a file of the examples."""
    return (FOLDER / name).read_text(encoding="utf-8")


def parsed(name: str) -> Any:
    """Return a YAML file of the examples as data."""
    return yaml.safe_load(text(name))


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that refuses fields that it does not list, as Kubernetes' strict validation does."""
    closed: dict[str, Any] = {}
    for key, value in schema.items():
        if isinstance(value, dict):
            closed[key] = strict(value)
        elif isinstance(value, list):
            closed[key] = [strict(each) if isinstance(each, dict) else each for each in value]
        else:
            closed[key] = value
    is_open = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if isinstance(schema.get("properties"), dict) and not is_open and schema.get("type") == "object":
        closed["additionalProperties"] = False
    return closed


@pytest.fixture(scope="module")
def rayjob_schema() -> dict[str, Any]:
    """Return the schema of a RayJob, version v1."""
    if not SCHEMA.exists():
        pytest.skip("KubeRay's schema is not here")
    with gzip.open(SCHEMA) as file:
        definition = yaml.load(file, yaml.CSafeLoader)  # ten times as fast as the one in Python
    (version,) = [each for each in definition["spec"]["versions"] if each["name"] == "v1"]
    schema = strict(version["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {
        "type": "object"
    }  # Kubernetes' own, which a definition does not repeat
    return schema


def test_the_ray_job_is_valid_to_kuberay(rayjob_schema: dict[str, Any]) -> None:
    jsonschema.validate(parsed("rayjob.yaml"), rayjob_schema)


@pytest.mark.parametrize(
    ("place", "field"),
    [((), "backofLimit"), (("rayClusterSpec",), "auth"), (("rayClusterSpec", "authOptions"), "modes")],
)
def test_a_misspelt_field_of_a_ray_job_is_found(
    rayjob_schema: dict[str, Any], place: tuple[str, ...], field: str
) -> None:
    job = parsed("rayjob.yaml")
    spec = job["spec"]
    for key in place:
        spec = spec[key]
    spec[field] = "x"
    with pytest.raises(jsonschema.ValidationError, match=field):
        jsonschema.validate(job, rayjob_schema)


def test_the_ray_job_asks_for_a_token_and_is_tried_again() -> None:
    spec = parsed("rayjob.yaml")["spec"]
    assert spec["rayClusterSpec"]["authOptions"] == {"mode": "token"}
    assert spec["backoffLimit"] > 0
    assert "--take-over" in spec["entrypoint"]
    (head,) = spec["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["containers"]
    mounted = [mount["mountPath"] for mount in head["volumeMounts"]]
    (output,) = [each["value"] for each in head["env"] if each["name"] == "STUDIES_OUTPUT"]
    assert any(Path(output).is_relative_to(path) for path in mounted)


def test_the_versions_of_the_ray_job_are_those_of_the_image() -> None:
    pins = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    )
    spec = parsed("rayjob.yaml")["spec"]["rayClusterSpec"]
    assert spec["rayVersion"] == pins["ray"]
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    images = {container["image"] for group in groups for container in group["template"]["spec"]["containers"]}
    assert images == {parsed("compose.yaml")["x-ray"]["image"]}
    assert re.search(r"docker build -t (\S+)", text("Dockerfile"))[1] in images  # type: ignore[index]


def test_ray_accepts_the_configuration_of_its_launcher() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(parsed("ray_up.yaml")))


def test_only_the_driver_gets_the_database_and_no_trial_runs_beside_it() -> None:
    services = parsed("compose.yaml")["services"]
    assert not set(services["worker"]["environment"]) & set(SECRETS)
    assert set(SECRETS) <= set(services["head"]["environment"])
    assert "--num-cpus=0" in services["head"]["command"]
    cluster = parsed("rayjob.yaml")["spec"]["rayClusterSpec"]
    for group in cluster["workerGroupSpecs"]:
        for container in group["template"]["spec"]["containers"]:
            assert not {each["name"] for each in container.get("env", ())} & set(SECRETS)
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert parsed("ray_up.yaml")["available_node_types"]["head"]["resources"]["CPU"] == 0


def test_the_services_of_the_composition_fit_together() -> None:
    composition = parsed("compose.yaml")
    services, volumes = composition["services"], set(composition["volumes"])
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        assert {mount.split(":")[0] for mount in service.get("volumes", ())} <= volumes
    port = re.search(r"--port=(\d+)", services["head"]["command"])
    assert port is not None
    assert f"--address=head:{port[1]} " in services["worker"]["command"]
    assert "@postgres/" in services["head"]["environment"]["STUDIES_STORAGE"]
    assert services["head"]["ports"] == ["127.0.0.1:8265:8265"], (
        "the dashboard is published to this machine alone"
    )
    build = composition["x-ray"]["build"]
    assert (FOLDER / build["context"] / build["dockerfile"]).resolve() == FOLDER / "Dockerfile"
    # Whatever has a secret takes it from .env, and says so where that lacks it.
    written = set(re.findall(r"\$\{(\w+):\?", text("compose.yaml")))
    assert written == set(re.findall(r"\$\{(\w+)", text("compose.yaml")))


def commands(door: str) -> Iterator[tuple[str, list[str]]]:
    """Yield every `studies` or `ray` command of the examples with the file it stands in, split into words."""
    for path in sorted(FOLDER.iterdir()):
        plain = re.sub(r"^\s*#.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for found in re.findall(rf"\b{door} [^\n]*", plain.replace("\\\n", " ")):
            found = re.sub(r"\$\{\w+:\+(.+?)\}", r"\1", found)  # what stands there if the variable is set
            line = re.split(r"[;&|]|\\$|  #", found.replace('"$', "$"))[0]
            words = shlex.split(line.replace('"', ""))
            yield path.name, words


def test_the_commands_of_studies_parse() -> None:
    found = [(name, words) for name, words in commands("studies (?:run|stop)")]
    assert {(name, words[1]) for name, words in found} == {
        ("rayjob.yaml", "run"),
        ("slurm.sh", "run"),
        ("slurm.sh", "stop"),
    }
    for _, words in found:
        parser_of(words[1]).parse_args(words[2:])


def test_the_commands_of_ray_parse() -> None:
    from ray.scripts.scripts import start

    found = [words for _, words in commands("ray start")]
    assert len(found) == 4
    for words in found:
        context = start.make_context("start", words[2:])
        assert context.params["head"] or context.params["address"]


def test_the_name_that_slurm_stops_is_that_of_its_study() -> None:
    name = study_name("depth_study", profile="cluster", settings={}, seed_given=False, plan_hash="")
    assert name == "depth_study-cluster"
    assert "name=${2:-$study-cluster}" in text("slurm.sh")
    assert drafted("studies run depth_study --profile cluster", ROOT).study == draft_of_slurm()


def draft_of_slurm() -> object:
    """Return the study that slurm.sh runs by default."""
    (words,) = [words for name, words in commands("studies run") if name == "slurm.sh"]
    line = shlex.join(words).replace("'$study'", "depth_study").replace("'$name'", "any")
    return drafted(line.replace("'$address'", "10.0.0.1:6379"), ROOT).study


def test_the_script_for_slurm_is_shell() -> None:
    subprocess.run(["bash", "-n", str(FOLDER / "slurm.sh")], check=True)


def test_the_secrets_of_the_composition_get_into_no_image_and_no_commit() -> None:
    assert "**/.env" in (ROOT / ".dockerignore").read_text().split("\n")
    assert ".env" in (ROOT / ".gitignore").read_text().split("\n")


def test_a_job_that_is_submitted_says_where_its_files_stay() -> None:
    """Without them it is refused."""
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    found = re.findall(r"^studies submit .*$", page, flags=re.MULTILINE)
    assert len(found) == 2
    for line in found:
        options = parser_of("submit").parse_args(shlex.split(line)[2:])
        assert options.storage.startswith("postgresql://")
        assert options.output.startswith("/")


SRUN = """#!/bin/bash
# What srun runs on each node, here the only one.
while [[ $1 == --* ]]; do shift; done
exec "$@"
"""
SCONTROL = """#!/bin/bash
case "$1" in
  show) echo node1 ;;
  requeue) echo "$2" >>"$FOLDER/requeued" ;;
esac
"""
NODE = """
set -e
ip link set lo up
ip link add n0 type veth peer name n1
ip address add 10.77.0.1/24 dev n0
ip link set n0 up
ip link set n1 up
mount -t tmpfs tmpfs /dev/shm
set +e
cd "$FOLDER"
touch log
bash slurm.sh depth_study >>log 2>&1 &
job=$!
if [ "$1" = walltime ]; then
  until grep -q '^report:' log || ! kill -0 $job; do sleep 0.2; done
  kill -TERM $job
fi
wait $job
code=$?
{ pgrep -x raylet; pgrep -x gcs_server; } | wc -l >left
exit $code
"""
"""One node of a cluster: it sees its own processes and its own network, so that `ray stop` ends its own Ray alone."""


IN_ITS_PLACE = {
    "ray": 'while [[ $1 != -- ]]; do shift; done; shift; exec "$@"',
    "studies": """
echo "$*" >>"$FOLDER/given"
if [ "$1" = run ]; then until [ -e "$FOLDER/requeued" ]; do sleep 0.05; done; exit 1; fi
exit 1  # no database is reached
""",
}


@pytest.mark.parametrize("count", [None, "1"])
def test_a_job_whose_study_cannot_be_asked_to_stop_is_put_back_all_the_same(
    tmp_path: Path, count: str | None
) -> None:
    """And only an attempt after the first takes the study from its predecessor."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "activate").touch()
    scripts = {"srun": SRUN, "scontrol": SCONTROL} | {
        name: f"#!/bin/bash\n{content}" for name, content in IN_ITS_PLACE.items()
    }
    for name, content in scripts.items():
        (tmp_path / "bin" / name).write_text(content)
        (tmp_path / "bin" / name).chmod(0o755)
    environment = {
        "FOLDER": str(tmp_path),
        "HOME": str(tmp_path),
        "PATH": f"{tmp_path}/bin:{Path(sys.executable).parent}:/usr/bin:/bin",
        "STUDIES_VENV": str(tmp_path),
        "SLURM_JOB_ID": "4711",
        "SLURM_JOB_NODELIST": "node1",
        "SLURM_JOB_NUM_NODES": "1",
        "SLURM_CPUS_PER_TASK": "2",
        "SLURM_SUBMIT_DIR": str(tmp_path),
    } | ({} if count is None else {"SLURM_RESTART_COUNT": count})
    job = subprocess.Popen(["bash", str(FOLDER / "slurm.sh")], env=environment, cwd=tmp_path)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "given").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        job.terminate()
        assert job.wait(60) != 0
    finally:
        job.kill()
    assert "4711" in (tmp_path / "requeued").read_text().split()
    run, stop = (tmp_path / "given").read_text().splitlines()
    assert stop == "stop depth_study-cluster"
    assert run.endswith(" --take-over") == (count is not None)


@pytest.mark.slow
def test_a_study_on_slurm_goes_on_after_the_walltime(tmp_path: Path) -> None:
    """The script with stand-ins for SLURM's own commands, and with a real `ray symmetric-run`."""
    apart = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*apart, "true"], check=False).returncode:
        pytest.skip("namespaces cannot be made here")
    (tmp_path / "bin").mkdir()
    for name, content in (("srun", SRUN), ("scontrol", SCONTROL)):
        (tmp_path / "bin" / name).write_text(content)
        (tmp_path / "bin" / name).chmod(0o755)
    script = text("slurm.sh").replace("--profile cluster", "--profile smoke")
    (tmp_path / "slurm.sh").write_text(script)
    (tmp_path / "home").mkdir()
    environment = {
        "FOLDER": str(tmp_path),
        "HOME": str(tmp_path / "home"),
        "PATH": f"{tmp_path}/bin:{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(ROOT),
        "STUDIES_VENV": str(Path(sys.executable).parents[1]),
        "SLURM_JOB_ID": "4711",
        "SLURM_JOB_NODELIST": "node1",
        "SLURM_JOB_NUM_NODES": "1",
        "SLURM_CPUS_PER_TASK": "2",
        "SLURM_SUBMIT_DIR": str(tmp_path),
    }

    def job(how: str) -> int:
        done = subprocess.run(
            [*apart, "bash", "-c", NODE, "node", how], env=environment, timeout=600, check=False
        )
        assert (tmp_path / "left").read_text().strip() == "0", "Ray's processes are left"
        return done.returncode

    assert job("walltime") == 143, (tmp_path / "log").read_text()
    assert (tmp_path / "requeued").read_text().split() == ["4711"]
    assert "stopped, as asked by studies stop" in (tmp_path / "log").read_text()
    assert not list((tmp_path / "home" / ".ray").iterdir()), "the token is left"
    assert job("whole") == 0, (tmp_path / "log").read_text()
    assert (tmp_path / "requeued").read_text().split() == ["4711"]
    report = json.loads((tmp_path / "runs" / "depth_study-cluster" / "report.json").read_text())
    assert report["state"] == "complete"
