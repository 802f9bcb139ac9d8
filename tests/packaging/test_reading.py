"""Reading: what was written comes back, and nothing else gets through."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from modelwright.core.catalogue import Catalogue
from modelwright.core.errors import IncompatiblePackage, InvalidPackage, ModelwrightError
from modelwright.packaging.reading import read
from modelwright.packaging.writing import write


@pytest.fixture(scope="module")
def written(make, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("written") / "m.model"
    write(path, make())
    return path


@pytest.fixture
def folder(written, tmp_path) -> Path:
    """A package of one's own to damage."""
    return Path(shutil.copytree(written, tmp_path / "m.model"))


def seal(folder: Path) -> None:
    """Make the digests and the fingerprint fit again, as whoever can write a package can."""
    for _ in range(2):
        names = sorted(p.name for p in folder.iterdir() if p.name != "checksums.json")
        sums = {n: sha256((folder / n).read_bytes()).hexdigest() for n in names}
        (folder / "checksums.json").write_text(json.dumps(sums))
        try:
            read(folder, Catalogue({}), replay=False)
        except ModelwrightError as error:
            words = str(error.got).split("fingerprint is ")
            if len(words) == 2:
                manifest = json.loads((folder / "manifest.json").read_bytes())
                (folder / "manifest.json").write_text(json.dumps({**manifest, "fingerprint": words[1]}))


def edit(folder: Path, name: str, change) -> None:
    """Change the JSON of one file and seal the package again."""
    data = json.loads((folder / name).read_bytes())
    changed = change(data)
    (folder / name).write_text(json.dumps(data if changed is None else changed))
    seal(folder)


@pytest.mark.parametrize("n_labels", [0, 2, 3])
@pytest.mark.parametrize("name", ["m.model", "m.zip"])
def test_what_was_written_comes_back(make, catalogue, tmp_path, n_labels, name):
    package = make(n_labels)
    named = write(tmp_path / name, package)
    opened = read(tmp_path / name, catalogue)
    assert opened.fingerprint == named
    assert (opened.model.task, opened.model.contract) == (package.model.task, package.model.contract)
    assert opened.model.threshold == package.model.threshold
    assert opened.model.state().fingerprint == package.model.state().fingerprint
    assert opened.manifest == package.manifest
    assert opened.evidence.to_dict() == package.evidence.to_dict()
    assert opened.evidence.kpis["mse"].high == float("inf")
    assert list(opened.evidence.kpis) == list(package.evidence.kpis)
    assert (opened.findings, opened.documents) == (package.findings, package.documents)
    assert opened.record == package.record
    assert opened.golden.records == package.golden.records
    assert np.array_equal(opened.golden.scores, package.golden.scores)
    assert opened.sealed.rows == package.sealed.rows
    for field in ("target", "scores", "weight"):
        assert np.array_equal(getattr(opened.sealed, field), getattr(package.sealed, field))
    assert np.array_equal(opened.model.scores_of(package.golden.records), package.golden.scores)


def test_a_package_that_was_read_is_written_as_it_was(folder, catalogue, tmp_path):
    write(tmp_path / "copy", read(folder, catalogue))
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {
        p.name: p.read_bytes() for p in (tmp_path / "copy").iterdir()
    }


def test_arrays_that_were_read_cannot_be_changed(folder, catalogue):
    with pytest.raises(ValueError, match="read-only"):
        read(folder, catalogue).model.blend.weights[0] = 0


@pytest.mark.parametrize("path", ["absent", "a_file", "empty_folder", "other_folder", "nul\0", "fifo"])
def test_what_is_no_package_is_said_to_be_none(tmp_path, catalogue, path):
    (tmp_path / "a_file").write_text("dear diary")
    (tmp_path / "empty_folder").mkdir()
    (tmp_path / "other_folder").mkdir()
    (tmp_path / "other_folder" / "index.html").write_text("x")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(InvalidPackage) as caught:
        read(tmp_path / path, catalogue)
    assert caught.value.fix


def test_a_model_that_answers_otherwise_is_refused(folder, catalogue):
    edit(folder, "golden.json", lambda data: data["scores"][0].__setitem__(0, data["scores"][0][0] + 1e-5))
    with pytest.raises(IncompatiblePackage, match="gives the answers it gave when it was packaged"):
        read(folder, catalogue)
    assert read(folder, catalogue, replay=False).golden


def test_answers_within_the_tolerance_are_accepted(folder, catalogue):
    edit(folder, "golden.json", lambda data: data["scores"][0].__setitem__(0, data["scores"][0][0] + 1e-8))
    assert read(folder, catalogue)


def test_a_later_format_is_incompatible_whatever_else_is_in_it(folder, catalogue):
    (folder / "novel.arrow").write_bytes(b"")
    (folder / "manifest.json").write_text('{"format": 2, "version": "9.1", "anything": [1]}')
    with pytest.raises(IncompatiblePackage, match=r"format 2, written by modelwright 9\.1"):
        read(folder, catalogue)


def test_a_part_that_is_not_in_the_catalogue_is_refused(folder):
    with pytest.raises(InvalidPackage, match="parts this version knows"):
        read(folder, Catalogue({"fitted": {}}))


def test_another_fingerprint_cannot_be_claimed(folder, catalogue):
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "fingerprint": "0" * 32}))
    names = sorted(p.name for p in folder.iterdir() if p.name != "checksums.json")
    (folder / "checksums.json").write_text(
        json.dumps({n: sha256((folder / n).read_bytes()).hexdigest() for n in names})
    )
    with pytest.raises(InvalidPackage, match="fingerprint names its content"):
        read(folder, catalogue)


def test_each_missing_or_altered_file_is_named(folder, catalogue):
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        for altered in (None, content[:-2], content + b"?"):
            path.unlink() if altered is None else path.write_bytes(altered)
            with pytest.raises(InvalidPackage) as caught:
                read(folder, catalogue)
            assert path.name in str(caught.value) or path.name == "blob_0.bin"
            path.write_bytes(content)
    assert read(folder, catalogue)


@pytest.mark.parametrize("name", ["extra.txt", "blob_7.bin", "STATE.JSON", "state.json ", "model.pkl", ".hidden", "🎁"])
def test_a_file_that_does_not_belong_is_refused(folder, catalogue, name):
    (folder / name).write_bytes(b"")
    seal(folder)
    with pytest.raises(InvalidPackage, match="the files it was written with"):
        read(folder, catalogue)


def test_what_mlflow_leaves_behind_is_overlooked(folder, catalogue):
    (folder / "registered_model_meta").write_text("model_name: churn")
    assert read(folder, catalogue)


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_only_plain_files_are_opened(folder, catalogue, tmp_path, kind):
    target = folder / "card.md"
    (tmp_path / "secret").write_bytes(target.read_bytes())
    target.unlink()
    {"link": lambda: target.symlink_to(tmp_path / "secret"), "folder": target.mkdir, "pipe": lambda: os.mkfifo(target)}[
        kind
    ]()
    with pytest.raises(InvalidPackage, match="plain files only"):
        read(folder, catalogue)


def test_a_package_larger_than_allowed_is_not_read(folder, catalogue):
    total = sum(p.stat().st_size for p in folder.iterdir())
    assert read(folder, catalogue, bytes_max=total)
    with pytest.raises(InvalidPackage, match="no larger than allowed"):
        read(folder, catalogue, bytes_max=total - 1)
    with (folder / "state.json").open("ab") as file:
        file.truncate(2**40)  # takes no room on the disk
    with pytest.raises(InvalidPackage, match="no larger than allowed"):
        read(folder, catalogue)


STATES = {
    "no object": lambda s: [],
    "another root": lambda s: s.update(kind="plan"),
    "no threshold": lambda s: s.update(meta={}),
    "threshold true": lambda s: s["meta"].update(threshold=True),
    "threshold text": lambda s: s["meta"].update(threshold="0.5"),
    "threshold without end": lambda s: s["meta"].update(threshold=10**400),
    "a part too few": lambda s: s["parts"].pop(),
    "plan and blend swapped": lambda s: [s["parts"][i].__setitem__(0, n) for i, n in enumerate(("blend", "plan"))],
    "a part twice": lambda s: s["parts"].append(s["parts"][0]),
    "an unknown kind": lambda s: s["parts"][0][1].update(kind="os:system"),
    "a kind that is a list": lambda s: s["parts"][0][1].update(kind=["columns"]),
    "an extra key": lambda s: s.update(module="os"),
    "meta of another type": lambda s: s["parts"][0][1].update(meta=[1]),
    "names that lie": lambda s: s["parts"][0][1].update(meta={"names": 5}),
    "names without end": lambda s: s["parts"][0][1].update(meta={"names": [[[]]]}),
    "object array": lambda s: s["parts"][0][1]["arrays"][0].__setitem__(1, "object"),
    "type with code": lambda s: s["parts"][0][1]["arrays"][0].__setitem__(1, "O8"),
    "type of another size": lambda s: s["parts"][0][1]["arrays"][0].__setitem__(1, "float32"),
    "type that is a list": lambda s: s["parts"][0][1]["arrays"][0].__setitem__(1, ["float64"]),
    "negative shape": lambda s: s["parts"][0][1]["arrays"][0].__setitem__(2, [-2]),
    "two negatives": lambda s: s["parts"][0][1]["arrays"][0].__setitem__(2, [-1, -2]),
    "fractional shape": lambda s: s["parts"][0][1]["arrays"][0].__setitem__(2, [2.0]),
    "true as shape": lambda s: s["parts"][0][1]["arrays"][0].__setitem__(2, [True, 2]),
    "shape that overflows": lambda s: s["parts"][0][1]["arrays"][0].__setitem__(2, [2**32, 2**32]),
    "shape that wraps to its size": lambda s: s["parts"][0][1]["arrays"][0].__setitem__(2, [2**63, 2, 1]),
    "empty but wide": lambda s: s["parts"][0][1]["arrays"][0].__setitem__(2, [0, 2**40]),
    "many dimensions": lambda s: s["parts"][0][1]["arrays"][0].__setitem__(2, [1] * 60),
    "too many rows": lambda s: s["parts"][0][1]["arrays"][0].__setitem__(2, [10_000]),
    "fewer rows": lambda s: s["parts"][0][1]["arrays"][0].__setitem__(2, [1]),
    "a blob too many": lambda s: s["blobs"].append("evil"),
    "a blob too few": lambda s: s["parts"][1][1]["parts"][0][1]["blobs"].clear(),
    "blobs that are an object": lambda s: s.update(blobs={"a": 1}),
    "a blob that is a path": lambda s: s.update(blobs=[["../../etc/passwd"]]),
}


@pytest.mark.parametrize("title", STATES)
def test_a_state_that_does_not_hold_together_is_refused(folder, catalogue, title):
    edit(folder, "state.json", STATES[title])
    with pytest.raises(InvalidPackage):
        read(folder, catalogue)


def test_a_state_nested_without_end_is_refused(folder, catalogue):
    leaf = {"kind": "note", "meta": {}, "arrays": [], "blobs": [], "parts": []}
    for depth in (20, 600):
        node = leaf
        for _ in range(depth):
            node = {**leaf, "parts": [["a", node]]}
        text = json.dumps(node) if depth < 100 else "[" * 200_000
        (folder / "state.json").write_text(text)
        seal(folder)
        with pytest.raises(InvalidPackage):
            read(folder, catalogue)


def test_booleans_other_than_0_and_1_are_refused(folder, catalogue):
    edit(folder, "state.json", lambda s: s["parts"][0][1]["arrays"][0].__setitem__(slice(1, 3), ["bool", [16]]))
    with pytest.raises(InvalidPackage, match="booleans are stored as 0 or 1"):
        read(folder, catalogue)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 2}',
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b"",
        b"null",
        b"[]",
        b"{} {}",
        b'{"a": ' + b"1" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"a": "\\ud800"}',
    ],
)
@pytest.mark.parametrize("name", ["manifest.json", "record.json", "evidence.json", "golden.json", "checksums.json"])
def test_json_that_is_not_sound_is_refused(folder, catalogue, name, text):
    (folder / name).write_bytes(text)
    if name != "checksums.json":
        seal(folder)
    with pytest.raises(InvalidPackage):
        read(folder, catalogue)


VALUES = {
    "task.json": [
        lambda d: d.update(labels=["no"]),
        lambda d: d.update(labels=["no", "no"]),
        lambda d: d.update(labels=["no", 1]),
        lambda d: d.update(labels=["no", "yes", "perhaps"], kind="multiclass", metric="log_loss"),
        lambda d: d.update(kind="regression", labels=[], metric="rmse"),
        lambda d: d.update(label_type="integer"),
        lambda d: d.update(kind="clustering"),
        lambda d: d.update(metric="profit"),
        lambda d: d.update(time=5),
        lambda d: d.update(__class__="os"),
        lambda d: d.pop("target"),
    ],
    "contract.json": [
        lambda d: d.update(columns="age"),
        lambda d: d["columns"].append(d["columns"][0]),
        lambda d: d["columns"][0].update(kind="matrix"),
        lambda d: d["columns"][0].update(n_rows=1.5),
        lambda d: d["columns"][0].update(low="0"),
        lambda d: d["columns"][2]["levels"].append({"value": "oak"}),
        lambda d: d["columns"][2]["levels"].append({"value": "oak", "count": "many"}),
        lambda d: d["columns"][2].update(levels={"oak": 1}),
        lambda d: d["columns"][0].update(extra=1),
    ],
    "evidence.json": [
        lambda d: d["kpis"]["roc_auc"].update(low=0.99),
        lambda d: d["kpis"]["roc_auc"].update(value="0.9"),
        lambda d: d["kpis"].update(roc_auc=0.9),
        lambda d: d.update(leaderboard=[1]),
        lambda d: d.update(notes="none"),
        lambda d: d.pop("timing"),
    ],
    "findings.json": [
        lambda d: d[0].update(severity="fatal"),
        lambda d: d[0].update(columns="age"),
        lambda d: d[0].pop("title"),
        lambda d: {},
    ],
    "golden.json": [
        lambda d: d.update(records=[]),
        lambda d: d["records"][0].update(age=[20]),
        lambda d: d["records"][0].update(age={"a": 1}),
        lambda d: d["scores"].pop(),
        lambda d: d["scores"][0].append(0.0),
        lambda d: d.update(scores=[["a", "b"]] * 8),
        lambda d: d.update(scores=[]),
        lambda d: d.update(scores=[[None, None]] * 8),
    ],
    "manifest.json": [
        lambda d: d.update(seed="0"),
        lambda d: d.update(seconds={"search": "long"}),
        lambda d: d.update(format=True),
        lambda d: d.update(format="1"),
        lambda d: d.pop("format"),
        lambda d: d.pop("versions"),
        lambda d: d.update(fingerprint=None),
    ],
    "sealed.json": [
        lambda d: d.update(kind="columns"),
        lambda d: d["arrays"].pop(),
        lambda d: d["arrays"][0].__setitem__(2, [16, 8]),
        lambda d: d["arrays"][1].__setitem__(1, "float64"),
        lambda d: d["arrays"][2].__setitem__(2, [16]),
        lambda d: d["arrays"][3].__setitem__(0, "luck"),
        lambda d: d["arrays"][3].__setitem__(1, "int64"),
    ],
}


@pytest.mark.parametrize(("name", "number"), [(n, i) for n, changes in VALUES.items() for i in range(len(changes))])
def test_a_value_that_is_not_what_it_should_be_is_refused(folder, catalogue, name, number):
    edit(folder, name, VALUES[name][number])
    with pytest.raises(InvalidPackage) as caught:
        read(folder, catalogue)
    assert "digest" not in str(caught.value)
    assert "as they were written" not in str(caught.value)


def test_a_target_beyond_the_labels_is_refused(folder, catalogue):
    content = bytearray((folder / "sealed.bin").read_bytes())
    content[128:136] = (7).to_bytes(8, "little")
    (folder / "sealed.bin").write_bytes(content)
    seal(folder)
    with pytest.raises(InvalidPackage, match="sound values"):
        read(folder, catalogue)


def mutations(content: bytes, rng: np.random.Generator, n: int):
    """Yield damaged copies: bits flipped, cut short, bytes put in or taken out, pieces swapped."""
    for _ in range(n):
        damaged = bytearray(content)
        at = int(rng.integers(0, len(content) + 1)) if content else 0
        match int(rng.integers(0, 5)):
            case 0 if at < len(damaged):
                damaged[at] ^= 1 << int(rng.integers(0, 8))
            case 1:
                del damaged[at:]
            case 2:
                damaged[at:at] = rng.bytes(int(rng.integers(1, 9)))
            case 3:
                del damaged[at : at + int(rng.integers(1, 30))]
            case _:
                damaged[at : at + 4] = rng.choice([b"null", b"-1e9", b'"a":', b"[[[[", b"\x00\x00\x00\x00", b"9999"])
        if bytes(damaged) != content:
            yield bytes(damaged)


def fuzz(path: Path, catalogue, folder: Path, rng, n: int, *, sealed: bool) -> int:
    """Read the package with ``path`` damaged in many ways; return how many copies were accepted."""
    kept = {p: p.read_bytes() for p in folder.iterdir()}
    n_accepted = 0
    for damaged in mutations(kept[path], rng, n):
        path.write_bytes(damaged)
        if sealed:
            seal(folder)
        try:
            read(folder, catalogue)
            n_accepted += 1
        except ModelwrightError as error:
            assert error.rule  # noqa: PT017 - that nothing else is raised is the point
        for name, content in kept.items():
            if sealed or name == path:
                name.write_bytes(content)
    return n_accepted


def test_any_damage_to_any_file_ends_in_a_clear_error(folder, catalogue):
    rng = np.random.default_rng(0)
    for path in sorted(folder.iterdir()):
        assert fuzz(path, catalogue, folder, rng, 15, sealed=False) == 0 or path.name == "checksums.json"


def test_damage_whose_digests_were_made_to_fit_ends_in_a_clear_error_or_a_model(folder, catalogue):
    rng = np.random.default_rng(1)
    names = ("state.json", "arrays.bin", "golden.json", "task.json", "contract.json", "sealed.json", "evidence.json")
    for name in names:
        fuzz(folder / name, catalogue, folder, rng, 6, sealed=True)


@pytest.mark.slow
def test_thousands_of_damages_end_in_clear_errors(folder, catalogue):
    rng = np.random.default_rng(2)
    for path in sorted(folder.iterdir()):
        fuzz(path, catalogue, folder, rng, 250, sealed=False)
        fuzz(path, catalogue, folder, rng, 30, sealed=True)


OPENED: list[str] | None = None


EVENTS = ("open", "os.open", "os.listdir", "os.scandir", "os.exec", "subprocess.Popen")


def _watch(event: str, arguments: tuple) -> None:
    # A number is a descriptor: what it stands for was noted when it was opened.
    if OPENED is not None and event in EVENTS and not isinstance(arguments[0], int):
        OPENED.append(str(arguments[0]))


@contextmanager
def watched():
    """Note all that is opened; an audit hook cannot be taken back, so it sleeps outside."""
    global OPENED
    if not getattr(sys, "_modelwright_watch", False):
        sys.addaudithook(_watch)
        sys._modelwright_watch = True  # type: ignore[attr-defined]
    OPENED = []
    try:
        yield OPENED
    finally:
        OPENED = None


def test_the_watch_sees_what_is_opened(tmp_path):
    with watched() as opened:
        (tmp_path / "seen").write_text("x")
    assert opened == [str(tmp_path / "seen")]


def test_nothing_outside_a_hostile_package_is_opened(folder, catalogue, tmp_path):
    paths = ["../secret", str(tmp_path / "secret"), "/etc/passwd", "~/secret", "file:///etc/passwd", "blob_0.bin/../x"]
    (tmp_path / "secret").write_text("x")

    def hostile(state):
        state["parts"][0][1]["meta"]["path"] = paths
        state["parts"][1][1]["parts"][0][1]["blobs"] = [paths[0]]
        state["parts"][0][1]["kind"] = "../../secret:Secret"

    original = (folder / "state.json").read_bytes()
    read(folder, catalogue)
    edit(folder, "state.json", hostile)
    sums = json.loads((folder / "checksums.json").read_bytes())
    for extra in ({}, dict.fromkeys(paths, "0" * 64)):
        (folder / "checksums.json").write_text(json.dumps({**sums, **extra}))
        with watched() as opened, pytest.raises(InvalidPackage):
            read(folder, catalogue)
        assert opened
        assert {Path(p) for p in opened} <= {folder, *folder.iterdir()}
    (folder / "state.json").write_bytes(original)
    seal(folder)
    with watched() as opened:
        read(folder, catalogue)
    assert {Path(p) for p in opened} <= {folder, *folder.iterdir()}


def test_a_package_is_read_fast(folder, catalogue):
    read(folder, catalogue)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        read(folder, catalogue)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.3


def test_reading_imports_nothing_heavy():
    script = "import sys, modelwright.packaging.reading; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"polars", "pandas", "sklearn", "scipy", "lightgbm", "xgboost", "catboost", "mlflow", "pyarrow", "altair"}
    assert "numpy" in done.stdout.split()
    assert heavy & set(done.stdout.split()) == set()
