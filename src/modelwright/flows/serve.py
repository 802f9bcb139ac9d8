"""Serve: a package answers over HTTP until told to end."""

from __future__ import annotations

import gc
import math
import os
import signal
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.core.contract import Kind
from modelwright.core.errors import InvalidSetting, MissingLibrary, ModelwrightError, ServiceUnavailable
from modelwright.core.fingerprint import fingerprint
from modelwright.core.machine import cores
from modelwright.core.ports import Pointer, Traffic
from modelwright.flows._watched import told_by_watching
from modelwright.flows.builtin import catalogue
from modelwright.flows.resolve import Watch, resolve
from modelwright.flows.traffic import rerouted
from modelwright.learners.trees import use_threads
from modelwright.registry.ledger import open_ledger
from modelwright.registry.ledger_privacy import Privacy, key_of, ways_of
from modelwright.registry.names import CHAMPION, may_be_ref, parse_ref
from modelwright.service import routes
from modelwright.service.accepting import SharedSocket
from modelwright.service.configuration import read_configuration
from modelwright.service.counters import Counters
from modelwright.service.hosts import Hosts, is_loopback
from modelwright.service.keeper import Keeper
from modelwright.service.logs import Log
from modelwright.service.policy import RULES
from modelwright.service.sources import PackageSource, name_of
from modelwright.service.supervisor import Job, Supervisor
from modelwright.service.tokens import SCOPES, Keyring, Token, check_token, digest_of, new_token, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.ports import ChampionSource
    from modelwright.flows.resolve import Resolved
    from modelwright.flows.traffic import Rerouted
    from modelwright.service.configuration import Configuration
    from modelwright.service.models import Models

FOLDER = ".modelwright"
WORKERS_MOST = 4
"""Where a project keeps what its services remember."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How to serve.

    Attributes:
        host: Address to bind; anything but loopback needs a token that was chosen.
        port: 0 for any that is free.
        token: Allows everything; a random one is made where none is given. Also from MODELWRIGHT_TOKEN.
        tokens: A file of tokens with scopes, read again when it changes.
        is_open: Whether no token is asked for; on loopback only.
        name: What the model is asked under; taken from the package's file name when None.
        workers: Processes that answer; None for one a core, four at most, and one where tokens have a rate.
        ledger: Path or ``postgresql://`` address of the record of predictions; empty to record nothing.
        fsync: Whether an answer is on the disk before it is given, rather than with the operating system.
        config: A TOML file: policies, limits, private columns, canary, shadow.
        tls: Paths of certificate and key, or None.
        hosts: Further names the service may be asked under.
        is_verbose: Whether each request is logged.
        is_traced: Whether OpenTelemetry spans are sent.
        watch_seconds: How often the model is watched beside it, or None for not at all.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    token: str | None = None
    tokens: str | None = None
    is_open: bool = False
    name: str | None = None
    workers: int | None = None
    ledger: str = f"{FOLDER}/ledger.db"
    fsync: bool = False
    config: str | None = None
    tls: tuple[str, str] | None = None
    hosts: tuple[str, ...] = ()
    is_verbose: bool = False
    is_traced: bool = False
    watch_seconds: float | None = None

    def __post_init__(self) -> None:
        if self.name is not None and not routes.NAME.match(self.name):
            fix = f"try {name_of(self.name)!r}"
            raise InvalidSetting("a name is letters, digits and .-_", where="--name", got=self.name, fix=fix)
        if (self.workers is not None and not 1 <= self.workers <= 64) or not 0 <= self.port <= 65_535:
            got = {"workers": self.workers, "port": self.port}
            raise InvalidSetting("a service has 1 to 64 workers and a port of 0 to 65535", where="serve", got=got)


@dataclass(frozen=True, slots=True)
class Served:
    """A service that takes requests.

    Attributes:
        url: Where.
        model: What it is asked under.
        version: Of what answers now.
        token: The token that was made, or empty where the user had one.
        ledger: Where predictions are recorded; without a password.
    """

    url: str
    model: str
    version: str
    token: str
    ledger: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        pid = os.getpid()
        return {"url": self.url, "model": self.model, "version": self.version, "token": self.token, "pid": pid}


def serve(reference: str, serving: Serving, *, tell: Callable[[Served], None] = lambda _: None) -> None:
    """Answer for a model until SIGTERM or SIGINT; what is in flight then is answered first.

    Args:
        reference: Path of a package.
        serving: How.
        tell: Called once requests are taken.

    Raises:
        InvalidPackage: The package is not sound.
        InvalidSetting: An option or the configuration is outside what it may be.
        ServiceUnavailable: The address is taken, or would be open to strangers.
        MissingLibrary: The extra ``serve`` is not installed.
    """
    use_threads(1)  # workers are forked, and threads that OpenMP started before do not come along: a call would hang
    keyring, made = _keyring(serving)
    config = read_configuration(serving.config)
    log = Log(is_verbose=serving.is_verbose)
    keeper = Keeper(source_of(reference, serving.name), source_of, catalogue(), serving.config, keyring, log)
    models = keeper.load()
    place = _Place.of(serving, models, config)
    sock = _bound(serving)
    n_workers = serving.workers or _fitting_workers(config)
    columns = [column.name for column in models.champion.contract.columns]
    # Twice as many shares as workers: one that is replaced and its replacement count side by side.
    name = models.champion.pointer.model
    counters = Counters(
        *(routes.NAMES, columns, RULES),
        n_workers=2 * n_workers,
        beside=lambda: b"" if place is None else told_by_watching(place.folder, name),
    )
    shared = SharedSocket(sock, n_workers)
    office = _Office(serving, config, keeper, models, keyring, counters, log, place, shared)
    gc.collect()
    gc.freeze()  # what is loaded stays, and the processes go on sharing it
    jobs = [Job(f"worker {i}", office.worker(i)) for i in range(n_workers)]
    if place is not None:
        jobs.append(Job("clerk", office.clerk, last=True))
        if serving.watch_seconds is not None:
            jobs.append(Job("watcher", office.watcher(reference)))
    scheme = "http" if serving.tls is None else "https"
    host, port = sock.getsockname()[:2]
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    champion = models.champion
    told = Served(url, champion.pointer.model, champion.version, made, "" if place is None else place.shown)
    try:
        Supervisor(jobs, log, config.limits.drain_seconds, on_ready=lambda: tell(told)).run()
    finally:
        sock.close()


def source_of(reference: str, name: str | None = None) -> ChampionSource:
    """Return where a reference's package comes from: a name in the registry, or a path."""
    if not may_be_ref(reference) or ("@" not in reference and Path(reference).exists()):
        return PackageSource(reference, name)
    return Registered(reference)


class Registered:
    """A name of the registry: whatever version stands behind it now.

    Args:
        reference: ``churn`` (the champion), ``churn@challenger``, ``churn@4``.
    """

    def __init__(self, reference: str) -> None:
        self._watch = Watch(reference)
        self._is_champion = parse_ref(reference).alias == CHAMPION
        self._said: Rerouted | None = None
        self._stamp: object = None
        self._others: dict[int, Resolved] = {}

    def current(self) -> Pointer:
        """Return where the version's package lies; a look at a file's date where nothing was registered since."""
        self._watch.poll()
        return _pointer(self._watch.current)

    def traffic(self) -> Traffic:
        """Return who the registry says answers beside the champion; nobody beside another version."""
        current = self._watch.current
        if not self._is_champion:
            return Traffic()
        said = self._read()
        others = [said.canary, said.shadow]
        named = [_pointer(self._named(current.name, n)) if n and str(n) != current.version else None for n in others]
        return Traffic(named[0], said.percent if named[0] else 0.0, named[1])

    def _read(self) -> Rerouted:
        """Return what the registry says; asked again only when something was written to it."""
        stamp = self._watch.stamp()
        if self._said is None or not stamp or stamp != self._stamp:
            self._said, self._stamp = rerouted(self._watch.current.name), stamp
        return self._said

    def _named(self, name: str, number: int) -> Resolved:
        """Return where a version lies; versions do not change, so each is looked for once."""
        if number not in self._others:
            self._others[number] = resolve(f"{name}@{number}")
        return self._others[number]


def _pointer(found: Resolved) -> Pointer:
    return Pointer(found.name, found.version, found.fingerprint, str(found.path))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where predictions go."""

    ledger: str
    spool: Path
    privacy: Privacy
    folder: Path
    shown: str = field(default="")

    @classmethod
    def of(cls, serving: Serving, models: Models, config: Configuration) -> _Place | None:
        if not serving.ledger:
            return None
        is_file = "://" not in serving.ledger
        folder = Path(serving.ledger).parent if is_file else Path(FOLDER)
        contract = models.champion.contract
        private = ways_of((c.name for c in contract.columns if c.kind is Kind.IDENTIFIER), config.private)
        kept = frozenset(c.name for c in contract.columns if c.name != models.champion.task.target)
        privacy = Privacy(private, key_of(folder) if "hash" in private.values() else b"", kept)
        open_ledger(serving.ledger, privacy).close()  # a wrong address is told now, not when answers wait
        spool = folder / f"spool-{fingerprint(serving.ledger)[:8]}"
        return cls(serving.ledger, spool, privacy, folder, serving.ledger if is_file else "PostgreSQL")


@dataclass(frozen=True, slots=True)
class _Office:
    """What the processes of a service are made from."""

    serving: Serving
    config: Configuration
    keeper: Keeper
    models: Models
    keyring: Keyring
    counters: Counters
    log: Log
    place: _Place | None
    shared: SharedSocket

    @property
    def name(self) -> str:
        """What the model is asked under."""
        return self.models.champion.pointer.model

    def worker(self, number: int) -> Callable[[Callable[[], None]], None]:
        """Return what a worker's process does."""

        def run(is_ready: Callable[[], None]) -> None:
            self._work(number, is_ready)

        return run

    def _work(self, number: int, is_ready: Callable[[], None]) -> None:
        from modelwright.registry.ledger_spool import Spool
        from modelwright.service.app import App
        from modelwright.service.recorder import Recorder
        from modelwright.service.tracing import Tracer
        from modelwright.service.worker import work

        self.counters.become(2 * number + os.getpid() % 2)
        self.shared.become(number)
        self.counters.event("worker_starts")
        # The supervisor loaded the models when it began; a worker that begins later may find others.
        models = self.keeper.look(self.counters) or self.models
        spool = None if self.place is None else Spool(self.place.spool, fsync=self.serving.fsync)
        privacy = Privacy() if self.place is None else self.place.privacy
        recorder = Recorder(spool, privacy, self.counters)
        tracer = Tracer() if self.serving.is_traced else None
        app = App(
            models,
            keyring=self.keyring,
            recorder=recorder,
            counters=self.counters,
            limits=self.config.limits,
            hosts=Hosts((self.serving.host, *self.serving.hosts)),
            log=self.log,
            tracer=tracer,
        )
        work(
            app,
            self.shared,
            limits=self.config.limits,
            log=self.log,
            look=lambda: self.keeper.look(self.counters),
            is_ready=is_ready,
            tls=self.serving.tls,
            parent=os.getppid(),
        )
        recorder.close()
        if tracer is not None:
            tracer.close()

    def clerk(self, is_ready: Callable[[], None]) -> None:
        """Carry predictions from the spool to the ledger."""
        from modelwright.registry.ledger_clerk import keep

        assert self.place is not None
        told = [False]
        parent = os.getppid()
        signal.signal(signal.SIGTERM, lambda *_: told.__setitem__(0, True))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.nice(10)  # answers come first; lines wait safely in the spool
        is_ready()
        keep(
            self.place.ledger,
            self.place.spool,
            self.place.privacy,
            is_over=lambda: told[0] or os.getppid() != parent,
            say=lambda what: self.log.say("ledger", what=what),
            retain_days=self.config.retain_days,
        )

    def watcher(self, reference: str) -> Callable[[Callable[[], None]], None]:
        """Return what the process does that watches the model: look, and sleep until the next time.

        Args:
            reference: The package or the name that is served; whatever stands behind it when a look begins.
        """

        def run(is_ready: Callable[[], None]) -> None:
            parent = os.getppid()
            os.nice(15)  # answers come first
            is_ready()
            while os.getppid() == parent:
                begun = time.monotonic()
                self._look(reference)
                while os.getppid() == parent and time.monotonic() - begun < (self.serving.watch_seconds or math.inf):
                    time.sleep(0.5)

        return run

    def _look(self, reference: str) -> None:
        from modelwright.flows.watch import Watching, watch

        try:
            done = watch(reference, Watching(ledger=self.serving.ledger, name=self.name))
            self.log.say("watched", alarms=done.told.get("n_lasting", 0), rows=done.told.get("rows_read", 0))
        except ModelwrightError as error:
            self.log.say("not watched", rule=error.rule, where=error.where)


def _keyring(serving: Serving) -> tuple[Keyring, str]:
    """Return who may ask, and the token that was made for it, or an empty text."""
    given = serving.token or os.environ.get("MODELWRIGHT_TOKEN")
    if not is_loopback(serving.host):
        has_tokens = bool(given) or (serving.tokens is not None and bool(read(Path(serving.tokens))))
        if not has_tokens or serving.is_open:
            raise ServiceUnavailable(
                "a service that other machines can reach has a token that was chosen for it",
                where="--host",
                got=f"{serving.host} without one",
                fix="set MODELWRIGHT_TOKEN, or give --tokens FILE",
            )
    if serving.is_open:
        return Keyring(is_open=True), ""
    made = "" if given or serving.tokens else new_token()
    fixed = [Token("command line", digest_of(check_token(given)), SCOPES)] if given else []
    if made:
        fixed.append(Token("made at start", digest_of(made), SCOPES))
    return Keyring(tuple(fixed), serving.tokens), made


def _fitting_workers(config: Configuration) -> int:
    """Return how many processes answer where nobody says; each counts a token's requests for itself."""
    return 1 if config.limits.requests_per_second else min(cores(), WORKERS_MOST)


def _bound(serving: Serving) -> socket.socket:
    """Return the socket that all workers listen on."""
    _check_libraries()
    family = socket.AF_INET6 if ":" in serving.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((serving.host, serving.port))
        sock.listen(2048)
    except OSError as error:
        sock.close()
        got = f"{serving.host}:{serving.port}: {error.strerror}"
        fix = "choose another --port, or 0 for any that is free"
        raise ServiceUnavailable("the address of a service is free", where="--port", got=got, fix=fix) from error
    sock.set_inheritable(True)
    return sock


def _check_libraries() -> None:
    # Imported here, before the processes are forked, so that they share it.
    try:
        import modelwright.service.app
        import modelwright.service.worker  # noqa: F401
    except ImportError as error:
        fix = "pip install 'modelwright[serve]'"
        raise MissingLibrary("a service needs its libraries", where="serve", got=str(error), fix=fix) from error
