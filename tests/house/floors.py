"""The floors of the house: which room stands where, and which imports that allows."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "modelwright"

FLOORS = {
    "core": 0,
    "data": 1,
    "features": 1,
    "learners": 1,
    "evaluation": 1,
    "packaging": 1,
    "registry": 1,
    "reports": 1,
    "search": 2,
    "handbook": 2,
    "service": 2,
    "monitoring": 2,
    "exploring": 2,
    "flows": 3,
    "ui": 4,
}
"""Every room and its floor; ARCHITECTURE.md draws the same table."""

UI_SEES = {"core", "flows"}
CUSTOMS = {
    "lightgbm": {"learners"},
    "xgboost": {"learners"},
    "catboost": {"learners"},
    "torch": {"learners"},
    "tabicl": {"learners"},
    "onnx": {"learners", "packaging"},
    "sklearn": {"data", "evaluation", "features", "flows", "handbook", "learners"},
    "polars": {"core", "data", "exploring", "features", "flows", "handbook", "monitoring", "search"},
    "pandas": {"data"},
    "pyarrow": {"data"},
    "duckdb": {"data"},
    "sqlite3": {"data", "registry"},
    "psycopg": {"data", "registry"},
    "altair": {"reports"},
    "vl_convert": {"reports"},
    "jinja2": {"reports"},
    "docx": {"reports"},
    "pptx": {"reports"},
    "pypdf": {"reports"},
    "weasyprint": {"reports"},
    "jsonschema": {"flows"},
    "msgspec": {"registry", "service"},
    "uvicorn": {"service"},
    "uvloop": {"service"},
    "httptools": {"service"},
    "prometheus_client": {"service"},
    "opentelemetry": {"service"},
    "onnxruntime": {"flows"},
    "click": {"ui"},
    "rich": {"ui"},
    "mlflow": {"registry"},
}
"""Outside libraries and the rooms that own them."""


@dataclass(frozen=True)
class Import:
    """One import statement: the module that holds it, its line, and what it names."""

    module: str
    line: int
    name: str

    @property
    def room(self) -> str:
        return self.module.split(".")[1] if "." in self.module else ""


def imports_of(module: str, text: str, *, top_level: bool = False) -> list[Import]:
    """Every import of a module, those inside functions and for typing only included, or only what runs on import."""
    found = []
    tree = ast.parse(text)
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [Import(module, node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(Import(module, node.lineno, node.module))
    return found


def modules() -> dict[str, str]:
    """The source of every module by its dotted name."""
    named = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text()
    return named


def complaint(found: Import) -> str:
    """Why an import may not be, or an empty text."""
    top, _, rest = found.name.partition(".")
    target = rest.partition(".")[0]
    if top in CUSTOMS and found.room not in CUSTOMS[top]:
        return f"{top} belongs behind the door of {sorted(CUSTOMS[top])}"
    if top != "modelwright" or target in ("", found.room) or not found.room:
        return ""
    if target not in FLOORS:
        return f"{target} is no room"
    if found.room == "ui" and target not in UI_SEES:
        return "ui needs only flows and core"
    return "" if FLOORS[target] < FLOORS[found.room] else f"{target} is not on a floor below {found.room}"
