"""What only MLflow's library does: tables, runs, artifacts, new versions. Loading it takes seconds."""

from __future__ import annotations

import logging
import os
import time
import warnings
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import MissingLibrary, RegistryUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from modelwright.registry.home import Home

VALUE_MAX = 5_000
"""Characters of a parameter or tag; MLflow takes 6,000 and 8,000."""
TRIES = 12
_LOUD = ("mlflow", "alembic")


@contextmanager
def client_of(
    home: Home,
    lock: Callable[[], AbstractContextManager[None]] = nullcontext,
    prepare: Callable[[], None] = lambda: None,
) -> Iterator[Any]:
    """Yield MLflow's client of a store; its tables are made or migrated on the way, under the lock.

    Args:
        home: Where the store is.
        lock: Held while tables are made: MLflow's own migrations stumble over each other.
        prepare: Called under the lock before.

    Raises:
        MissingLibrary: MLflow is not installed.
        RegistryUnavailable: The store cannot be reached, or refuses.
    """
    # MLflow reports its use to its makers unless told not to; nothing here talks to anyone unasked.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    with _quiet():
        try:
            from mlflow.exceptions import MlflowException
            from mlflow.tracking import MlflowClient
        except ImportError as error:
            raise MissingLibrary(
                "registering a model needs MLflow", got=str(error), fix="install it: pip install 'modelwright[mlflow]'"
            ) from error
        _hush()  # importing it has set its loggers anew
        try:
            with lock():
                prepare()
                client = MlflowClient(tracking_uri=home.uri, registry_uri=home.uri)
                client.get_experiment_by_name("Default")  # whichever store is made lazily is made now
                client.search_registered_models(max_results=1)
            yield client
        except MlflowException as error:
            raise RegistryUnavailable(
                "MLflow keeps what is registered",
                where="MLflow",
                got=str(error).splitlines()[0][:300],
                fix="check MLFLOW_TRACKING_URI and that the store can be written",
            ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep MLflow's notices of its own set-up from the terminal, and its warnings from the caller."""
    before = {name: logging.getLogger(name).level for name in _LOUD}
    _hush()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _hush() -> None:
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.ERROR)


def ensure(client: Any, name: str, location: str | None) -> str:
    """Return the experiment of a model, made if absent, and make sure the model is registered."""
    found = client.get_experiment_by_name(name)
    if found is None:
        _make(lambda: client.create_experiment(name, artifact_location=location))
        found = client.get_experiment_by_name(name)
    _make(lambda: client.create_registered_model(name))
    return str(found.experiment_id)


def _make(call: Any) -> None:
    """Make something unless it is there: another process may have been quicker."""
    from mlflow.exceptions import MlflowException

    try:
        call()
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def record(
    client: Any, experiment: str, *, params: Mapping[str, str], measures: Mapping[str, float], tags: Mapping[str, str]
) -> Any:
    """Return a new run that holds parameters, measures and tags."""
    from mlflow.entities import Metric, Param, RunTag

    run = client.create_run(experiment, tags={"mlflow.user": tags.get("modelwright.author", "")})
    now = int(time.time() * 1000)
    client.log_batch(
        run.info.run_id,
        metrics=[Metric(key, value, now, 0) for key, value in measures.items()],
        params=[Param(key, value[:VALUE_MAX]) for key, value in params.items()],
        tags=[RunTag(key, value[:VALUE_MAX]) for key, value in tags.items()],
    )
    return run


def keep(client: Any, run: Any, folder: Path, inside: str) -> str:
    """Put a package among a run's artifacts and return where MLflow keeps it."""
    client.log_artifacts(run.info.run_id, str(folder), inside)
    return f"{run.info.artifact_uri.rstrip('/')}/{inside}"


def add_version(client: Any, name: str, source: str, run_id: str, tags: Mapping[str, str]) -> int:
    """Return the number of a new version; when others add theirs at the same moment it tries again."""
    from mlflow.exceptions import MlflowException

    for n in range(TRIES):
        try:
            made = client.create_model_version(name, source, run_id, tags=dict(tags))
            return int(made.version)
        except MlflowException as error:
            is_contended = "Giving up" in str(error) or "locked" in str(error) or "duplicate key" in str(error)
            if n + 1 == TRIES or not is_contended:
                raise
            time.sleep(0.05 * 2 ** min(n, 5) * (1 + os.getpid() % 7 / 7))
    raise AssertionError


def download(home: Home, source: str, into: Path) -> Path:
    """Fetch a package from wherever MLflow keeps it and return its folder."""
    with client_of(home):
        from mlflow.artifacts import download_artifacts

        into.mkdir(parents=True, exist_ok=True)
        return Path(download_artifacts(artifact_uri=source, dst_path=str(into), tracking_uri=home.uri))


def main() -> None:
    """Fetch what standard input asks for and print the folder; the way to fetch without keeping MLflow loaded."""
    import json
    import sys

    from modelwright.registry.home import Home

    asked = json.loads(sys.stdin.read())
    home = Home(Path(asked["folder"]), asked["uri"])
    sys.stdout.write(f"{download(home, asked['source'], Path(asked['into']))}\n")
