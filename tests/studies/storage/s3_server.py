"""A small S3 server: one bucket in memory, with the requests that pyarrow makes, for tests without a cloud.

It wants a signature by the right access key, whose bytes it does not check, and can be told to go away.
"""

import http.server
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import md5
from typing import Any
from xml.sax.saxutils import escape

BUCKET = "bucket"
ACCESS_KEY = "reader"
_NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


@dataclass
class Bucket:
    """What the server holds, and how it answers: `refuses` is the code of the error that every request gets."""

    port: int = 0
    objects: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    refuses: str | None = None
    refuses_writing: bool = False

    def url(self, folder: str = "runs", bucket: str = BUCKET) -> str:
        """Return the URL of a folder in a bucket."""
        return (
            f"s3://{bucket}/{folder}?endpoint_override=127.0.0.1:{self.port}&scheme=http&region=us-east-1"
            "&allow_bucket_creation=false"
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs in its environment to use it."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": "canary-secret-77",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bucket: Bucket

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def _asked(self) -> tuple[str, str, dict[str, str]] | None:
        """Return bucket, key and fields of a request; None if it has been refused."""
        parts = urllib.parse.urlsplit(self.path)
        bucket, _, key = urllib.parse.unquote(parts.path).lstrip("/").partition("/")
        fields = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        self.body = self._read()
        is_signed = f"Credential={ACCESS_KEY}/" in self.headers.get("Authorization", "")
        if self.bucket.refuses is not None:
            self._error(503 if self.bucket.refuses == "SlowDown" else 400, self.bucket.refuses)
        elif not is_signed:
            self._error(403, "AccessDenied")
        elif bucket != BUCKET:
            self._error(404, "NoSuchBucket")
        elif self.bucket.refuses_writing and self.command in ("PUT", "POST", "DELETE"):
            self._error(403, "AccessDenied")
        else:
            return bucket, key, fields
        return None

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return body
        chunks = []
        while body:
            head, _, body = body.partition(b"\r\n")
            size = int(head.partition(b";")[0], 16)
            if size == 0:
                break
            chunks.append(body[:size])
            body = body[size + 2 :]
        return b"".join(chunks)

    def _send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _error(self, status: int, code: str) -> None:
        self._send(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def _xml(self, text: str) -> None:
        self._send(200, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), Content_Type="text/xml")

    def do_HEAD(self) -> None:
        """Describe an object."""
        self.do_GET()

    def do_GET(self) -> None:
        """Return an object, or list the bucket."""
        asked = self._asked()
        if asked is None:
            return
        _, key, fields = asked
        if not key:
            self._send(200) if self.command == "HEAD" else self._list(fields)
        elif key not in self.bucket.objects:
            self._error(404, "NoSuchKey")
        else:
            content, at = self.bucket.objects[key]
            described = {"Last_Modified": format_datetime(at, usegmt=True), "ETag": _etag(content)}
            first, _, last = self.headers.get("Range", "").removeprefix("bytes=").partition("-")
            if first and self.command == "GET":
                end = min(int(last or len(content) - 1), len(content) - 1)
                part = content[int(first) : end + 1]
                described["Content_Range"] = f"bytes {first}-{end}/{len(content)}"
                self._send(206, part, **described)
            else:
                self._send(200, content, Content_Length=str(len(content)), **described)

    def _list(self, fields: Mapping[str, str]) -> None:
        prefix, delimiter = fields.get("prefix", ""), fields.get("delimiter", "")
        keys, folders = [], set()
        for key in sorted(key for key in self.bucket.objects if key.startswith(prefix)):
            rest = key.removeprefix(prefix)
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.partition(delimiter)[0] + delimiter)
            else:
                keys.append(key)
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.bucket.objects[key][0])}</Size>"
            f"<LastModified>{self.bucket.objects[key][1]:%Y-%m-%dT%H:%M:%S.%fZ}</LastModified>"
            f"<ETag>{escape(_etag(self.bucket.objects[key][0]))}</ETag></Contents>"
            for key in keys
        )
        common = "".join(
            f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in folders
        )
        self._xml(
            f"<ListBucketResult {_NS}><Name>{BUCKET}</Name><Prefix>{escape(prefix)}</Prefix>"
            f"<KeyCount>{len(keys) + len(folders)}</KeyCount><MaxKeys>1000</MaxKeys>"
            f"<IsTruncated>false</IsTruncated>{contents}{common}</ListBucketResult>"
        )

    def do_PUT(self) -> None:
        """Write an object, or a part of one."""
        asked = self._asked()
        if asked is None:
            return
        _, key, fields = asked
        if "uploadId" in fields:
            self.bucket.parts[fields["uploadId"]][int(fields["partNumber"])] = self.body
        else:
            self.bucket.objects[key] = self.body, datetime.now(UTC)
        self._send(200, ETag=_etag(self.body))

    def do_POST(self) -> None:
        """Begin or complete an object of several parts, or remove several objects."""
        asked = self._asked()
        if asked is None:
            return
        _, key, fields = asked
        if "uploads" in fields:
            upload = f"upload-{len(self.bucket.parts)}"
            self.bucket.parts[upload] = {}
            self._xml(
                f"<InitiateMultipartUploadResult {_NS}><Bucket>{BUCKET}</Bucket><Key>{escape(key)}</Key>"
                f"<UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            )
        elif "uploadId" in fields:
            parts = self.bucket.parts.pop(fields["uploadId"])
            content = b"".join(parts[number] for number in sorted(parts))
            self.bucket.objects[key] = content, datetime.now(UTC)
            self._xml(
                f"<CompleteMultipartUploadResult {_NS}><Key>{escape(key)}</Key>"
                f"<ETag>{escape(_etag(content))}</ETag></CompleteMultipartUploadResult>"
            )
        else:
            for each in self.body.decode().split("<Key>")[1:]:
                self.bucket.objects.pop(each.partition("</Key>")[0], None)
            self._xml(f"<DeleteResult {_NS}></DeleteResult>")

    def do_DELETE(self) -> None:
        """Remove an object."""
        asked = self._asked()
        if asked is not None:
            self.bucket.objects.pop(asked[1], None)
            self._send(204)


def _etag(content: bytes) -> str:
    return f'"{md5(content, usedforsecurity=False).hexdigest()}"'


@contextmanager
def s3_server() -> Iterator[Bucket]:
    """Serve an empty bucket on a free port of this machine."""
    bucket = Bucket()
    handler = type("Handler", (_Handler,), {"bucket": bucket})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        bucket.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield bucket
        finally:
            server.shutdown()
            thread.join()
