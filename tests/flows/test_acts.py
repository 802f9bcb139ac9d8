"""Acts: killed before the move nothing happened, killed after it the entry is made up for."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from modelwright.flows import _acts as acts
from modelwright.flows._records import audit_of
from modelwright.registry.home import FOLDER, Home
from modelwright.registry.names import Ref
from modelwright.registry.registry import Registry
from modelwright.registry.version import ACT

TABLES = """
CREATE TABLE registered_models (name TEXT);
CREATE TABLE model_versions (name TEXT, version INT, creation_time INT, run_id TEXT, source TEXT);
CREATE TABLE model_version_tags (name TEXT, version INT, "key" TEXT, value TEXT);
CREATE TABLE registered_model_tags ("key" TEXT, value TEXT, name TEXT);
CREATE TABLE registered_model_aliases (alias TEXT, version INT, name TEXT);
INSERT INTO registered_models VALUES ('churn');
INSERT INTO model_versions VALUES ('churn', 1, 0, 'r', 's'), ('churn', 2, 0, 'r', 's');
"""
"""Of MLflow's tables those that are read here: MLflow itself takes seconds to make them."""


@pytest.fixture
def within(tmp_path) -> Registry:
    home = Home(tmp_path / FOLDER)
    home.folder.mkdir()
    with closing(sqlite3.connect(home.folder / "registry.db")) as store:
        store.executescript(TABLES)
    registry = Registry(home)
    acts.move("promote", version(registry, 1), registry, crown(registry, 1, None), reason="the first")
    return registry


def version(registry: Registry, number: int):
    return registry.find(Ref("churn", None, number))


def crown(registry: Registry, number: int, expected: int | None):
    return lambda act: registry.crown("churn", number, expected=expected, act=act)


def log(registry: Registry) -> list[tuple[str, int]]:
    return [(e.action, e.version) for e in audit_of(registry).check().entries]


def left(registry: Registry) -> list[Path]:
    return list((registry.home.folder / acts.FOLDER).iterdir())


def in_a_process_that_dies(work) -> None:
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_killed_before_the_move_nothing_was_done(within):
    in_a_process_that_dies(lambda: acts.move("promote", version(within, 2), within, lambda _: die()))
    assert len(left(within)) == 1
    assert acts.finish(within) == 0
    assert (log(within), left(within), within.find(Ref("churn")).number) == ([("promote", 1)], [], 1)


def test_killed_between_the_move_and_its_entry_the_next_to_act_writes_it(within):
    def work():
        def done(act):
            crown(within, 2, 1)(act)
            die()

        acts.move("promote", version(within, 2), within, done, reason="why")

    in_a_process_that_dies(work)
    assert (within.find(Ref("churn")).number, log(within)) == (2, [("promote", 1)])
    assert acts.finish(within) == 1
    assert (log(within), left(within)) == ([("promote", 1), ("promote", 2)], [])
    assert audit_of(within).check().entries[-1].reason == "why"
    assert acts.finish(within) == 0


def test_killed_after_a_version_was_made_it_is_written_down_and_the_challenger(within):
    def work():
        def made(act):
            with closing(sqlite3.connect(within.home.folder / "registry.db")) as store:
                store.execute("INSERT INTO model_versions VALUES ('churn', 3, 0, 'r', 's')")
                store.execute("INSERT INTO model_version_tags VALUES ('churn', 3, ?, ?)", (ACT, act))
                store.commit()
            die()

        acts.register("churn", "f" * 32, within, made, detail={"data": "d"})

    in_a_process_that_dies(work)
    assert acts.finish(within) == 1
    entry = audit_of(within).check().entries[-1]
    assert (entry.action, entry.version, entry.detail["data"]) == ("register", 3, "d")
    assert within.alias("churn", "challenger").number == 3


def test_the_act_of_a_living_process_is_its_own(within):
    process = multiprocessing.get_context("fork").Process(target=_slowly, args=(within,))
    process.start()
    while not list((within.home.folder / acts.FOLDER).glob("*.json")):
        time.sleep(0.01)
    assert acts.finish(within) == 0
    process.join()
    assert process.exitcode == 0
    assert (log(within), left(within)) == ([("promote", 1), ("promote", 2)], [])


def _slowly(within: Registry) -> None:
    def done(act):
        time.sleep(0.3)
        crown(within, 2, 1)(act)

    acts.move("promote", version(within, 2), within, done)


def test_what_is_on_record_already_or_was_never_whole_is_cleared_away(within):
    first = audit_of(within).check().entries[0]
    folder = within.home.folder / acts.FOLDER
    (folder / "known.json").write_text(json.dumps({**first.to_dict(), "hash": "", "before": "", "number": 0}))
    (folder / "torn.json").write_text('{"number": ')
    assert acts.finish(within) == 0
    assert (log(within), left(within)) == ([("promote", 1)], [])
