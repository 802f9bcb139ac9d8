"""The shelf over MLflow's REST interface, version 2.0."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from modelwright.core.errors import RegistryUnavailable
from modelwright.registry.version import FINGERPRINT, Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TIMEOUT_SECONDS = 30.0
ANSWER_BYTES_MAX = 256 * 2**20
PAGE = 1_000
_MISSING = "RESOURCE_DOES_NOT_EXIST"


class Rest:
    """Reads and marks through a tracking server.

    Args:
        address: ``http://`` or ``https://``.
        token: Bearer token, or ``user:password`` for basic authentication; empty for none.
    """

    def __init__(self, address: str, token: str = "") -> None:
        self._address, self._token = address.rstrip("/"), token

    def names(self) -> tuple[str, ...]:
        """See ``Shelf``."""
        pages = self._pages("registered-models/search", "registered_models", max_results=PAGE)
        return tuple(sorted(str(m["name"]) for m in pages))

    def versions(self, name: str | None = None) -> tuple[Version, ...]:
        """See ``Shelf``."""
        names = self.names() if name is None else (name,)
        return tuple(v for one in names for v in self._versions(one))

    def _versions(self, name: str) -> list[Version]:
        aliases: dict[int, list[str]] = {}
        for entry in self._model(name).get("aliases", []):
            aliases.setdefault(int(entry["version"]), []).append(str(entry["alias"]))
        chosen = {"filter": f"name='{name}'", "max_results": PAGE}
        found = self._pages("model-versions/search", "model_versions", **chosen)
        return sorted((_version(v, aliases.get(int(v["version"]), [])) for v in found), key=lambda v: v.number)

    def version(self, name: str, which: int | str) -> Version | None:
        """See ``Shelf``."""
        if isinstance(which, str):
            found = self._ask("GET", "registered-models/alias", {"name": name, "alias": which})
        else:
            found = self._ask("GET", "model-versions/get", {"name": name, "version": str(which)})
        if found is None:
            return None
        data = found["model_version"]
        every = self._model(name).get("aliases", [])
        return _version(data, [str(a["alias"]) for a in every if int(a["version"]) == int(data["version"])])

    def model_tags(self, name: str) -> Mapping[str, str]:
        """See ``Shelf``."""
        return {str(t["key"]): str(t.get("value", "")) for t in self._model(name).get("tags", [])}

    def mark(
        self,
        name: str,
        *,
        aliases: Mapping[str, int | None] | None = None,
        tags: Mapping[str, str] | None = None,
        version_tags: Mapping[int, Mapping[str, str]] | None = None,
    ) -> None:
        """See ``Shelf``; tags first and aliases last, for MLflow's interface knows no transactions."""
        for key, value in (tags or {}).items():
            self._ask("POST", "registered-models/set-tag", {"name": name, "key": key, "value": value})
        for number, pairs in (version_tags or {}).items():
            for key, value in pairs.items():
                body = {"name": name, "version": str(number), "key": key, "value": value}
                self._ask("POST", "model-versions/set-tag", body)
        for alias, moved in (aliases or {}).items():
            if moved is None:
                self._ask("DELETE", "registered-models/alias", {"name": name, "alias": alias})
            else:
                self._ask("POST", "registered-models/alias", {"name": name, "alias": alias, "version": str(moved)})

    def _model(self, name: str) -> Mapping[str, Any]:
        found = self._ask("GET", "registered-models/get", {"name": name})
        model: Mapping[str, Any] = {} if found is None else found["registered_model"]
        return model

    def _pages(self, verb: str, key: str, **query: Any) -> Iterator[Mapping[str, Any]]:
        while True:
            found = self._ask("GET", verb, query) or {}
            yield from found.get(key, [])
            if not found.get("next_page_token"):
                return
            query = {**query, "page_token": found["next_page_token"]}

    def _ask(self, method: str, verb: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the answer, or None when what is named does not exist.

        Raises:
            RegistryUnavailable: The server does not answer, or refuses.
        """
        url, body = f"{self._address}/api/2.0/mlflow/{verb}", None
        if method == "GET":
            url += f"?{urlencode(values)}"
        else:
            body = json.dumps(values).encode()
        # The address is http or https: ``Home`` lets no other scheme come here.
        request = Request(url, data=body, method=method, headers=self._headers())  # noqa: S310
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                data: dict[str, Any] = json.loads(answer.read(ANSWER_BYTES_MAX) or b"{}")
                return data
        except HTTPError as error:
            with error:
                said = error.read(10_000).decode(errors="replace")
            # An alias that is not there is, to MLflow, an invalid parameter rather than a missing resource.
            is_absent = error.code in (400, 404) and ("not found" in said or _MISSING in said)
            if is_absent and method in ("GET", "DELETE"):
                return None
            raise self._down(f"{error.code} {said[:200]}") from error
        except (URLError, OSError, ValueError) as error:
            raise self._down(str(error)[:200]) from error

    def _down(self, got: str) -> RegistryUnavailable:
        host = urlsplit(self._address).hostname or "the tracking server"
        return RegistryUnavailable(
            "the tracking server answers", where=host, got=got, fix="check MLFLOW_TRACKING_URI and that it runs"
        )

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if ":" in self._token:
            headers["Authorization"] = f"Basic {base64.b64encode(self._token.encode()).decode()}"
        elif self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers


def _version(data: Mapping[str, Any], aliases: list[str]) -> Version:
    tags = {str(t["key"]): str(t.get("value", "")) for t in data.get("tags", [])}
    when = datetime.fromtimestamp(int(data.get("creation_timestamp", 0)) / 1000, UTC).isoformat(timespec="seconds")
    named = tuple(sorted(aliases))
    fingerprint, run, source = tags.get(FINGERPRINT, ""), str(data.get("run_id", "")), str(data.get("source", ""))
    return Version(str(data["name"]), int(data["version"]), fingerprint, when, named, run, source, tags)
