"""Places named by URLs: on this machine's files, in memory, and on a real S3 protocol."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.base.errors import UsageError
from studies.storage.paths import locate
from studies.storage.place import Place, PlaceError, is_url, mirror_folder
from tests.studies.storage.s3_server import Bucket, s3_server

CANARY = "canary-4711"


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    with s3_server() as bucket, pytest.MonkeyPatch.context() as patch:
        for name, value in bucket.environment.items():
            patch.setenv(name, value)
        yield bucket


@pytest.fixture
def bucket(server: Bucket) -> Iterator[Bucket]:
    yield server
    server.objects.clear()
    server.refuses, server.refuses_writing = None, False


@pytest.fixture(params=["file", "memory", "s3"])
def place(request: pytest.FixtureRequest, bucket: Bucket, tmp_path: Path) -> Place:
    """A place that is empty."""
    urls = {
        "file": f"file://{tmp_path}/a b/runs",
        "memory": f"fsspec+memory:///{tmp_path.name}",
        "s3": bucket.url(),
    }
    return Place.parse(urls[request.param].replace(" ", "%20"))


def test_a_file_is_put_listed_read_and_removed(place: Place, tmp_path: Path) -> None:
    place.check()
    content = bytes(range(256)) * 5000
    (tmp_path / "here").write_bytes(content)
    assert place.put("small/models/best/w.bin", tmp_path / "here").num_bytes == len(content)
    put = place.put_bytes("small/study.json", b"{}")
    assert place.files("small")["study.json"] == put
    assert set(place.files("small")) == {"models/best/w.bin", "study.json"}
    assert place.files("nothing") == {}
    assert set(place.stamps(["small/study.json", "small/none"])) == {"small/study.json"}
    assert place.digest("small/models/best/w.bin") == hashlib.sha256(content).hexdigest()
    assert place.digest("small/none") is None
    place.fetch("small/models/best/w.bin", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content
    place.remove("small/study.json")
    place.remove("small/study.json")
    assert set(place.files("small")) == {"models/best/w.bin"}
    place.folder("small").remove_all()
    place.folder("small").remove_all()
    assert place.files("small") == {}


def test_a_file_is_replaced_whole_and_a_missing_one_is_told(place: Place) -> None:
    place.put_bytes("x/a", b"one")
    place.put_bytes("x/a", b"three")
    assert place.read("x/a") == b"three"
    assert set(place.files("x")) == {"a"}
    with pytest.raises(PlaceError):
        place.read("x/b")


@pytest.mark.parametrize(
    ("url", "named"),
    [
        (f"s3://user:{CANARY}@bucket/runs", "what stands before @"),
        (f"s3://bucket/runs?secret_key={CANARY}", "secret_key"),
        (f"s3://bucket/runs?region=x&access_key=A&secret_key={CANARY}", "access_key, secret_key"),
        (f"abfs://account:{CANARY}@files/runs", "what stands before @"),
        (f"https://host/runs?sig={CANARY}", "sig"),
        (f"s3://bucket/runs?X-Amz-Security-Token={CANARY}", "X-Amz-Security-Token"),
    ],
)
@pytest.mark.parametrize("is_option", [True, False])
def test_a_secret_is_refused_and_not_repeated(
    url: str, named: str, is_option: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIES_OUTPUT", url)
    with pytest.raises(UsageError) as refused:
        locate(None, url if is_option else None)
    assert named in refused.value.message
    assert refused.value.message.startswith("--output" if is_option else "STUDIES_OUTPUT")
    assert "AWS_ACCESS_KEY_ID" in refused.value.advice
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("foo://bucket/runs", "no filesystem for this kind of URL"),
        ("s3://bucket/runs#x", "no URL of a folder"),
        ("file:///", "no URL of a folder"),
        ("s3://[bucket/runs", "no URL of a folder"),
        ("fsspec+nothing-of-the-kind://x/y", "nothing-of-the-kind"),
    ],
)
def test_what_is_no_place_is_refused(url: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        Place.parse(url).check()
    assert said in refused.value.message
    assert refused.value.advice


def test_a_bucket_that_is_missing_or_read_only_is_told(bucket: Bucket) -> None:
    with pytest.raises(UsageError, match="NO_SUCH_BUCKET"):
        Place.parse(bucket.url(bucket="nowhere")).check()
    bucket.refuses_writing = True
    with pytest.raises(UsageError, match="ACCESS_DENIED") as refused:
        Place.parse(bucket.url()).check()
    assert "credentials in the environment" in refused.value.advice
    assert bucket.objects == {}


def test_a_folder_whose_place_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"(?i)not a directory"):
        Place.parse(f"file://{tmp_path}/file").check()


@given(st.text(max_size=30))
def test_a_path_is_no_url(text: str) -> None:
    assert not is_url(f"/{text}")
    assert not is_url(Path("s3://x"))


def test_files_are_kept_for_the_user_alone_in_a_folder_of_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    first = locate(None, "s3://bucket/runs/")
    assert first.output == mirror_folder(Place("s3://bucket/runs"))
    assert first.output.parent == tmp_path / "studies"
    assert first.output != locate(None, "s3://bucket/runs2").output
    assert first.shown("small", "report.html") == "s3://bucket/runs/small/report.html"
    assert first.recorded() == "s3://bucket/runs"
    assert first.arguments == ("--output", "s3://bucket/runs/")
