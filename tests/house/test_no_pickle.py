"""Nothing here runs what a file holds: no pickle or its kin, no eval, no shell."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

MODULES = {"pickle", "_pickle", "cPickle", "cloudpickle", "joblib", "dill", "marshal", "shelve"}
"""Formats that run code when they are read."""
CALLS = {"eval", "exec", "compile", "__import__"}
LOADERS = {"np.load", "numpy.load", "np.save", "numpy.save", "np.savez", "numpy.savez"}
"""Functions that can be told to use pickle."""
FORBIDDEN = {
    *("torch.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen"),
    *("builtins.eval", "builtins.exec", "builtins.compile", "pd.read_pickle", "pandas.read_pickle"),
}


def complaints(text: str) -> list[str]:
    """Return what a module does that could run the content of a file."""
    tree = ast.parse(text)
    return [f"line {node.lineno}: {why}" for node in ast.walk(tree) for why in _whys(node)]


def _whys(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [f"import {a.name}" for a in node.names if a.name.partition(".")[0] in MODULES]
    if isinstance(node, ast.ImportFrom):
        named = [node.module or "", *(a.name for a in node.names)]
        return [f"from … import {name}" for name in named if name.partition(".")[0] in MODULES]
    if isinstance(node, ast.Call):
        return _whys_of_call(node)
    return []


def _whys_of_call(node: ast.Call) -> list[str]:
    name = ast.unparse(node.func)
    told = {k.arg: k.value for k in node.keywords}
    found = [name] if name in CALLS | FORBIDDEN else []
    if name.endswith("import_module") and node.args and isinstance(node.args[0], ast.Constant):
        found += [f"import_module({node.args[0].value!r})"] * (str(node.args[0].value).partition(".")[0] in MODULES)
    if name.endswith((".to_pickle", ".read_pickle")):
        found.append(name)
    for key in ("allow_pickle", "shell"):
        if key in told and not _is_false(told[key]):
            found.append(f"{name}({key}=…)")
    if None in told and (name in LOADERS or name.startswith("subprocess.")):
        found.append(f"{name}(**…), which may hide one")
    return found


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


FILES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_module_runs_nothing_that_a_file_holds(path):
    assert complaints(path.read_text(encoding="utf-8")) == []


def test_there_are_modules_to_look_at():
    assert len(FILES) > 20


@pytest.mark.parametrize(
    "snippet",
    [
        "import pickle",
        "import pickle as harmless",
        "import os, marshal",
        "import joblib.numpy_pickle",
        "from joblib import dump",
        "from sklearn.externals import joblib",
        "def f():\n    from cloudpickle import loads",
        "if TYPE_CHECKING:\n    import dill",
        "import_module('shelve')",
        "importlib.import_module('pickle')",
        "__import__('x')",
        "eval('1')",
        "exec(code)",
        "compile('1', '', 'eval')",
        "builtins.eval('1')",
        "np.load(path, allow_pickle=True)",
        "numpy.load(path, allow_pickle=allowed)",
        "np.load(path, **options)",
        "torch.load(path)",
        "yaml.load(text)",
        "yaml.unsafe_load(text)",
        "subprocess.run('ls', shell=True)",
        "subprocess.Popen(words, shell=flag)",
        "subprocess.run(words, **options)",
        "os.system('ls')",
        "pd.read_pickle(path)",
        "frame.to_pickle(path)",
    ],
)
def test_the_look_finds_what_is_planted(snippet):
    assert complaints(f"import ast\n{snippet}\n") != []


@pytest.mark.parametrize(
    "snippet",
    [
        "import json",
        "re.compile('a')",
        "model.eval()",
        "np.load(path, allow_pickle=False)",
        "np.load(path)",
        "subprocess.run(['ls'])",
        "yaml.safe_load(text)",
        "import picklefork_docs",
        "# import pickle",
        "'import pickle'",
    ],
)
def test_the_look_leaves_the_rest_alone(snippet):
    assert complaints(snippet) == []
