"""The manifest: where a package came from and what it was made with."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from modelwright.core.fingerprint import fingerprint, plain

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Manifest:
    """Lineage of one package.

    Attributes:
        version: Of modelwright.
        versions: Of the libraries that predict or trained, by name.
        seed: Of the run.
        options: The options of the run that change its result, as plain data.
        command: The exact command that repeats it.
        data: ``source``, ``fingerprint``, ``rows``, ``columns`` of the training table.
        split: ``how``, ``reason``, ``train`` and ``test`` row counts, ``fingerprint``.
        parents: Fingerprints of what it was made from: ``contract``, ``evidence``, ``model``.
        created: ISO 8601 time, UTC; not part of the fingerprint.
        seconds: Measured times by stage; not part of the fingerprint.
        stopped: Why the search ended.
    """

    version: str
    versions: Mapping[str, str]
    seed: int
    options: Mapping[str, Any]
    command: str
    data: Mapping[str, Any]
    split: Mapping[str, Any]
    parents: Mapping[str, str]
    created: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    stopped: str = ""

    @property
    def fingerprint(self) -> str:
        """Names the package: all of this but measured times, the command's paths and where the file lay."""
        data = self.to_dict()
        timed = {k: data.pop(k) for k in ("created", "seconds", "command", "stopped")}
        data["data"] = {k: v for k, v in data["data"].items() if k != "source"}
        del timed
        return fingerprint(data)

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest as plain data."""
        data: dict[str, Any] = plain(self)
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Manifest:
        """Return the manifest that ``to_dict`` wrote."""
        return cls(**{f.name: data[f.name] for f in fields(cls)})
