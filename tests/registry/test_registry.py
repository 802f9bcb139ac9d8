"""The registry in MLflow: versions, aliases, the way back; many processes at once; both roads say the same."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing

import pytest
from processes import register_at_once

from modelwright.core.errors import NotAllowed, RegistryUnavailable, UnknownModel
from modelwright.registry import _recording as recording
from modelwright.registry.home import FOLDER, Home
from modelwright.registry.names import Ref, parse_ref
from modelwright.registry.registry import Registry

pytestmark = pytest.mark.slow


def add(registry: Registry, n: int, name: str = "churn") -> None:
    """Add versions the quick way, with the tags of the first."""
    first = registry.versions(name)[0]
    with recording.client_of(registry.home) as client:
        for _ in range(n):
            recording.add_version(client, name, first.source, first.run_id, first.tags)


def test_what_was_registered_is_there(registry):
    version = registry.find(parse_ref("churn@1"))
    assert (version.fingerprint, version.author, version.aliases) == ("f" * 32, "ada", ("challenger",))
    assert registry.find(parse_ref("churn@challenger")) == version
    assert (registry.fetch(version) / "manifest.json").read_text() == "{}"
    assert registry.names() == ("churn",)
    with pytest.raises(UnknownModel, match="no churn@champion"):
        registry.find(parse_ref("churn"))
    with pytest.raises(UnknownModel, match="did you mean 'churn'"):
        registry.find(parse_ref("chrun"))
    with pytest.raises(UnknownModel, match="no churn@7"):
        registry.find(parse_ref("churn@7"))


def test_both_roads_say_the_same(registry):
    add(registry, 2)
    registry.crown("churn", 2, expected=None)
    registry.tag("churn", {"modelwright.approval.x": "{}"}, number=3)
    with recording.client_of(registry.home) as client:
        theirs = client.search_model_versions("name='churn'")
        champion = client.get_model_version_by_alias("churn", "champion")
        model = client.get_registered_model("churn")
        run = client.get_run(theirs[0].run_id)
        client.set_registered_model_alias("churn", "champion", 3)
    ours = registry.versions("churn")
    assert [(v.number, v.run_id, v.source, dict(v.tags)) for v in ours] == [
        (int(t.version), t.run_id, t.source, t.tags) for t in sorted(theirs, key=lambda t: int(t.version))
    ]
    assert int(champion.version) == 2
    assert dict(registry.model_tags("churn")) == model.tags
    assert run.data.params == {"target": "churn", "seed": "0"}
    assert run.data.metrics == {"roc_auc": 0.8, "roc_auc_low": 0.7}
    assert run.info.status == "FINISHED"
    # A champion that another tool put there is the champion, and remembered.
    assert registry.find(parse_ref("churn")).number == 3
    assert registry.history("churn") == (2, 3)


def test_champions_come_and_go(registry):
    add(registry, 3)
    for number, before in ((1, None), (2, 1), (4, 2)):
        registry.crown("churn", number, expected=before)
    assert registry.history("churn") == (1, 2, 4)
    registry.go_back("churn", 2, expected=4)
    assert registry.find(Ref("churn")).number == 2
    assert registry.history("churn") == (1, 2)
    with pytest.raises(NotAllowed, match="now version 2, it was 4"):
        registry.crown("churn", 3, expected=4)
    assert registry.find(Ref("churn")).number == 2


def test_who_is_crowned_is_no_challenger_any_more(registry):
    registry.crown("churn", 1, expected=None)
    assert registry.alias("churn", "challenger") is None
    assert registry.find(Ref("churn")).aliases == ("champion",)


def test_a_project_that_was_moved_still_finds_its_packages(registry, tmp_path):
    shutil.move(tmp_path / FOLDER, tmp_path / "elsewhere")
    moved = Registry(Home(tmp_path / "elsewhere"))
    assert (tmp_path / "elsewhere") in moved.fetch(moved.find(parse_ref("churn@1"))).parents


def test_a_broken_store_is_explained(tmp_path):
    home = Home(tmp_path / FOLDER)
    assert Registry(home).names() == ()
    home.folder.mkdir()
    (home.folder / "registry.db").write_text("no database")
    with pytest.raises(RegistryUnavailable, match="registry can be read"):
        Registry(home).names()
    (home.folder / "registry.db").unlink()
    with closing(sqlite3.connect(home.folder / "registry.db")) as empty:
        empty.execute("CREATE TABLE other (a)")
    assert Registry(home).names() == ()
    with pytest.raises(RegistryUnavailable, match="tracking server, an SQLite file"):
        Home(tmp_path, "mysql://localhost/x")


def test_a_stamp_tells_that_the_store_was_written(registry):
    before = registry.home.stamp()
    assert registry.home.stamp() == before
    registry.crown("churn", 1, expected=None)
    assert registry.home.stamp() != before


def test_eight_processes_in_a_new_project_lose_nothing(tmp_path, folder):
    """All eight find no store and make one: MLflow's tables, the experiment and the model too."""
    home = Home(tmp_path / FOLDER)
    register_at_once(home, folder, 8, 2)
    versions = Registry(home).versions("churn")
    assert [v.number for v in versions] == list(range(1, 17))
    assert {v.fingerprint for v in versions} == {f"p{i}-{k}" for i in range(8) for k in range(2)}
    assert all((Registry(home).fetch(v) / "manifest.json").exists() for v in versions)
    assert sum("challenger" in v.aliases for v in versions) == 1


def test_a_thousand_versions_list_in_under_a_second(registry):
    with closing(sqlite3.connect(registry.home.database)) as db:
        tags = db.execute('SELECT "key", value FROM model_version_tags WHERE version = 1').fetchall()
        for number in range(2, 1001):
            db.execute(
                "INSERT INTO model_versions (name, version, creation_time, run_id, source, current_stage) "
                "SELECT name, ?, creation_time, run_id, source, current_stage FROM model_versions WHERE version = 1",
                (number,),
            )
            rows = [("churn", number, key, value) for key, value in tags]
            db.executemany('INSERT INTO model_version_tags (name, version, "key", value) VALUES (?, ?, ?, ?)', rows)
        db.commit()
    begun = time.perf_counter()
    assert len(registry.versions("churn")) == 1000
    assert time.perf_counter() - begun < 1.0
