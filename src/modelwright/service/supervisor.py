"""The supervisor: starts the processes of a service, starts again those that die, and ends them in order."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelwright.core.errors import ServiceUnavailable
from modelwright.service.logs import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.service.logs import Log

STARTS_MAX = 5
"""A process that ends so often before it was ever ready will not become so."""
_SECONDS_SOUND = 5.0
"""A process that lived so long is started again at once."""


@dataclass(slots=True)
class Job:
    """A process that is to run as long as the service does.

    Attributes:
        name: For the log.
        run: What the process does; it is given a function to call once it is ready.
        last: Ended only after all jobs that are not.
    """

    name: str
    run: Callable[[Callable[[], None]], None]
    last: bool = False


@dataclass(slots=True)
class _Child:
    job: Job
    pid: int
    ready: int
    started: float
    is_ready: bool = False
    replaces: int = 0
    is_leaving: bool = False


@dataclass(slots=True)
class _Rest:
    job: Job
    until: float


@dataclass(slots=True)
class Supervisor:
    """Runs jobs in processes forked from this one, so that what it has loaded is shared. For the main thread.

    SIGTERM and SIGINT end all in order, SIGHUP replaces the workers one by one.

    Attributes:
        jobs: What runs.
        log: Told of deaths and starts.
        drain_seconds: After so long, what was told to end is killed.
        on_ready: Called once, when every job is ready.
    """

    jobs: Sequence[Job]
    log: Log
    drain_seconds: float = 20.0
    on_ready: Callable[[], None] = lambda: None
    _children: dict[int, _Child] = field(default_factory=dict)
    _resting: list[_Rest] = field(default_factory=list)
    _failures: dict[str, int] = field(default_factory=dict)
    _was_ready: bool = False

    def run(self) -> None:
        """Run until told to end.

        Raises:
            ServiceUnavailable: A process could not even begin.
        """
        wake, waker = os.pipe()
        for end in (wake, waker):
            os.set_blocking(end, False)
        signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        before = {number: signal.signal(number, lambda *_: None) for number in signals}
        old = signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        try:
            for job in self.jobs:
                self._start(job)
            self._watch(wake)
        finally:
            self._end()
            signal.set_wakeup_fd(old)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(wake)
            os.close(waker)

    def _watch(self, wake: int) -> None:
        while True:
            waiting = [c.ready for c in self._children.values() if not c.is_ready]
            readable, _, _ = select.select([wake, *waiting], [], [], 0.25)
            came = os.read(wake, 512) if wake in readable else b""
            if signal.SIGTERM in came or signal.SIGINT in came:
                return
            if signal.SIGHUP in came:
                self._replace_all()
            self._greet(readable)
            self._bury()
            for rest in [r for r in self._resting if r.until <= time.monotonic()]:
                self._resting.remove(rest)
                self._start(rest.job)

    def _start(self, job: Job, replaces: int = 0) -> None:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._become(job, writing)
        os.close(writing)
        self._children[pid] = _Child(job, pid, reading, time.monotonic(), replaces=replaces)

    def _become(self, job: Job, writing: int) -> None:
        """Be the child: run the job and end, whatever happens."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL if number != signal.SIGHUP else signal.SIG_IGN)
            job.run(lambda: _tell(writing))
            code = 0
        except BaseException as error:
            rule = getattr(error, "rule", "")
            self.log.say("failed", job=job.name, kind=type(error).__name__, rule=rule, place=place_of(error))
        finally:
            os._exit(code)

    def _greet(self, readable: Sequence[int]) -> None:
        for child in list(self._children.values()):
            if child.is_ready or child.ready not in readable:
                continue
            if os.read(child.ready, 1):
                child.is_ready = True
                self._failures.pop(child.job.name, None)
                if child.replaces in self._children:
                    self._tell_to_leave(self._children[child.replaces])
            elif not child.is_ready:
                child.is_ready = True  # its end of the pipe is gone; its death is seen next
                self._failures[child.job.name] = self._failures.get(child.job.name, 0) + 1
        if not self._was_ready and len(self._children) == len(self.jobs):
            self._was_ready = all(c.is_ready for c in self._children.values()) and not self._failures
            if self._was_ready:
                self.on_ready()

    def _bury(self) -> None:
        """Take note of the dead, and start them again: at once, or after a rest where they die young."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is None:
                continue
            os.close(child.ready)
            self._say_ended(child, status)
            if child.is_leaving:
                continue
            failures = self._failures.get(child.job.name, 0)
            if failures >= STARTS_MAX and not self._was_ready:
                fix = "the lines above say why"
                raise ServiceUnavailable("the processes of a service can start", where=child.job.name, fix=fix)
            lived = time.monotonic() - child.started
            wait = 0.0 if lived > _SECONDS_SOUND or not failures else min(0.1 * 2**failures, 5.0)
            self._resting.append(_Rest(child.job, time.monotonic() + wait))

    def _say_ended(self, child: _Child, status: int) -> None:
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
        self.log.say("process ended", job=child.job.name, pid=child.pid, signal=number, code=code)

    def _replace_all(self) -> None:
        for child in list(self._children.values()):
            if not child.job.last and not child.is_leaving:
                self._start(child.job, replaces=child.pid)

    @staticmethod
    def _tell_to_leave(child: _Child) -> None:
        child.is_leaving = True
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGTERM)

    def _end(self) -> None:
        """End the workers, then the rest."""
        for last in (False, True):
            some = [c for c in self._children.values() if c.job.last is last]
            for child in some:
                self._tell_to_leave(child)
            self._await(some)

    def _await(self, children: Sequence[_Child]) -> None:
        until = time.monotonic() + self.drain_seconds + 2.0
        left = {child.pid for child in children}
        while left:
            for pid in list(left):
                try:
                    done, _ = os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    done = pid
                if done:
                    left.discard(pid)
                    self._children.pop(pid, None)
            if left and time.monotonic() > until:
                for pid in left:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                until += 5.0
            time.sleep(0.01)


def _tell(writing: int) -> None:
    with suppress(OSError):
        os.write(writing, b"1")
