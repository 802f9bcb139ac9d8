"""Objects: files in a store, listed and opened by pyarrow's own clients, so that they can be read piece by piece.

Who is asking (``AWS_ACCESS_KEY_ID``, profiles, roles of the machine) those clients find by themselves.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from modelwright.core.errors import MissingLibrary, UnreadableSource
from modelwright.data._addresses import scheme_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_S3, _GS = frozenset({"s3", "s3a"}), frozenset({"gs", "gcs"})
_WILD = re.compile(r"[*?]")


def is_object(source: str) -> bool:
    """Return whether a source is the address of an object, or of several, in a store that can be streamed."""
    return scheme_of(source) in _S3 | _GS


class Objects:
    """The objects that an address names.

    Args:
        source: ``s3://bucket/key.parquet``, ``s3://bucket/folder/`` or ``s3://bucket/2024/*.parquet``; also ``gs://``.
    """

    def __init__(self, source: str, environ: Mapping[str, str] = os.environ) -> None:
        self._source = source
        self._pattern = source.partition("://")[2]
        with self.explained(source):
            self._files: Any = _client(scheme_of(source), environ)

    def found(self) -> list[Any]:
        """Return the Parquet files, sorted by address; each has ``path``, ``base_name``, ``size`` and ``mtime_ns``."""
        from pyarrow import fs

        with self.explained(self._source):
            if not _WILD.search(self._pattern):
                (one,) = self._files.get_file_info([self._pattern.rstrip("/")])
                if one.type == fs.FileType.File:
                    return [one]
                pattern = f"{self._pattern.rstrip('/')}/*.parquet"
            else:
                pattern = self._pattern
            folder = pattern[: _first_wild(pattern)].rpartition("/")[0]
            if not folder:
                raise UnreadableSource("a bucket is named, not searched for", where=self._source, fix="s3://bucket/*")
            listed = self._files.get_file_info(fs.FileSelector(folder, recursive="/" in pattern[len(folder) + 1 :]))
        fits = re.compile(_as_regex(pattern))
        files = [f for f in listed if f.type == fs.FileType.File and f.path.endswith(".parquet") and fits.match(f.path)]
        return sorted(files, key=lambda f: f.path)

    def open(self, path: str) -> Any:
        """Return an object as a file that is read where it is looked at."""
        return self._files.open_input_file(path)

    @contextmanager
    def explained(self, where: str) -> Iterator[None]:
        """Turn what the store's client says into an error of this house."""
        try:
            yield
        except (OSError, ValueError) as error:
            said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            fix = "check the address, AWS_REGION, AWS_ENDPOINT_URL and the keys"
            raise UnreadableSource(
                "an object that is read exists and may be read", where=where, got=said, fix=fix
            ) from error


def _client(scheme: str, environ: Mapping[str, str]) -> Any:
    try:
        from pyarrow import fs
    except ImportError as error:
        fix = "pip install 'modelwright[frames]'"
        raise MissingLibrary("objects are streamed with pyarrow", where="batch", got=str(error), fix=fix) from error
    if scheme in _GS:
        return fs.GcsFileSystem()
    options: dict[str, Any] = {"connect_timeout": 10, "request_timeout": 60}
    if region := environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"):
        options["region"] = region
    if endpoint := environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL"):
        parts = urlsplit(endpoint)
        options |= {"scheme": parts.scheme or "https", "endpoint_override": parts.netloc or endpoint}
    return fs.S3FileSystem(**options)


def _first_wild(pattern: str) -> int:
    found = _WILD.search(pattern)
    return len(pattern) if found is None else found.start()


def _as_regex(pattern: str) -> str:
    r"""Return a glob as a regular expression: ``*`` and ``?`` stay within a folder, ``**`` goes through folders.

    >>> [bool(re.match(_as_regex(glob), "b/x/y.parquet")) for glob in ("b/*.parquet", "b/**/*.parquet")]
    [False, True]
    """
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    marks = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(marks.get(part, re.escape(part)) for part in parts) + r"\Z"
