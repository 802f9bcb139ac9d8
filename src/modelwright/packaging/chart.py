"""Kubernetes: a Helm chart that runs the image, and a KServe InferenceService of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.packaging.image import recipe
from modelwright.packaging.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

_USER = 65_532
_PROBES = {"readinessProbe": ("/v2/health/ready", 5), "livenessProbe": ("/v2/health/live", 10)}


@dataclass(frozen=True, slots=True)
class Deployed:
    """What is put into a cluster.

    Attributes:
        name: What the model is asked under.
        version: Of the model.
        fingerprint: Of its package.
        image: Its repository, such as ``churn`` or ``registry.example.com/team/churn``; the tag is the version.
    """

    name: str
    version: str
    fingerprint: str
    image: str = ""

    @property
    def repository(self) -> str:
        """Where the image is pulled from."""
        return self.image or resource_name(self.name)


def resource_name(name: str) -> str:
    """Return a name as Kubernetes allows it: lower case letters, digits and ``-``, a letter first, at most 40.

    >>> resource_name("House_Prices.2")
    'house-prices-2'
    """
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower())[:40].strip("-")
    return plain if plain[:1].isalpha() else f"m-{plain}"[:40].rstrip("-")


def chart_files(deployed: Deployed) -> dict[str, bytes]:
    """Return the files of a Helm chart by their paths in its folder."""
    schema = json.loads(recipe("values.schema.json").read_text(encoding="utf-8"))
    notes = {key: field.get("description", "") for key, field in schema["properties"].items()}
    values = _defaults(schema)
    values["image"] |= {"repository": deployed.repository, "tag": _tag(deployed.version)}
    files = {
        "Chart.yaml": yaml_text(_chart(deployed)).encode(),
        "values.yaml": yaml_text(values, notes).encode(),
        "values.schema.json": (json.dumps(schema, indent=2) + "\n").encode(),
    }
    return files | dict(_static(recipe("chart"), ""))


def _chart(deployed: Deployed) -> dict[str, Any]:
    return {
        "apiVersion": "v2",
        "name": resource_name(deployed.name),
        "description": f"Predictions of {deployed.name}, served by modelwright",
        "type": "application",
        "version": f"0.{deployed.version}.0" if deployed.version.isdigit() else "0.1.0",
        "appVersion": deployed.version,
        "kubeVersion": ">=1.25.0-0",
        "annotations": {"modelwright/fingerprint": deployed.fingerprint},
    }


def _tag(version: str) -> str:
    """Return a version as an image's tag may be."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", version).lstrip(".-")[:128] or "latest"


def _defaults(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the values that a schema's defaults say."""
    return {
        key: _defaults(field) if field.get("properties") and "default" not in field else field.get("default")
        for key, field in schema["properties"].items()
    }


def _static(folder: Traversable, within: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            yield from _static(entry, f"{within}{entry.name}/")
        else:
            yield within + entry.name, entry.read_bytes()


def kserve_files(deployed: Deployed) -> dict[str, bytes]:
    """Return a KServe InferenceService and the Secret it needs, by file name."""
    name = resource_name(deployed.name)
    secret = f"{name}-token"
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/name": name},
            "annotations": {"modelwright/fingerprint": deployed.fingerprint},
        },
        "spec": {
            "predictor": {
                "minReplicas": 1,
                "maxReplicas": 4,
                "timeout": 60,
                "automountServiceAccountToken": False,
                "securityContext": {"fsGroup": _USER, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [_container(deployed, secret)],
                "volumes": [{"name": "data", "emptyDir": {}}],
            }
        },
    }
    hidden = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": secret},
        "type": "Opaque",
        "stringData": {"token": "", "ledger": ""},
    }
    return {
        "inferenceservice.yaml": (_KSERVE_NOTE + yaml_text(service)).encode(),
        "secret.yaml": (_TO_FILL_IN + yaml_text(hidden)).encode(),
    }


_KSERVE_NOTE = """\
# Open Inference Protocol v2 at /v2/models/NAME/infer; every request carries the token of secret.yaml.
# A part of the traffic for a new version: set spec.predictor.canaryTrafficPercent when the image's tag changes.
"""
_TO_FILL_IN = """\
# Fill in and keep it out of version control: the token (16 characters or more), and where predictions are recorded,
# postgresql://user:password@host/database
"""


def _container(deployed: Deployed, secret: str) -> dict[str, Any]:
    # Behind KServe's gateway a request names the service by its host inside or outside the cluster.
    hosts = [".svc.cluster.local", ".svc", ".example.com"]

    def of_secret(key: str) -> dict[str, Any]:
        return {"secretKeyRef": {"name": secret, "key": key}}

    return {
        "name": "kserve-container",
        "image": f"{deployed.repository}:{_tag(deployed.version)}",
        "args": [
            *("--ledger", "$(MODELWRIGHT_LEDGER)"),
            *(word for host in hosts for word in ("--allow-host", host)),
        ],
        "env": [
            {"name": "PROTOCOL", "value": "v2"},
            {"name": "MODELWRIGHT_TOKEN", "valueFrom": of_secret("token")},
            {"name": "MODELWRIGHT_LEDGER", "valueFrom": of_secret("ledger")},
        ],
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        **{
            probe: {"httpGet": {"path": path, "port": 8080}, "periodSeconds": seconds, "timeoutSeconds": 2}
            for probe, (path, seconds) in _PROBES.items()
        },
        "resources": {"requests": {"cpu": "250m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
