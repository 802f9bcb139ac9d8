"""The card: what a model is, is for and is not for, in Markdown with Hugging Face front matter."""

from __future__ import annotations

import json
import math
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from modelwright.core.metrics import MEASURES
from modelwright.reports import columns, numbers, tables, words
from modelwright.reports.cautions import cautions
from modelwright.reports.mistakes import mistakes
from modelwright.reports.names import as_markdown, clean, marked, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modelwright.reports.view import View

COLUMNS_SHOWN = 100
HUB_NAMES = {"r2": "r_squared"}
"""Measures that the Hugging Face hub calls otherwise."""


def card(view: View) -> str:
    """Return a model card: YAML front matter as the Hugging Face hub reads it, then Markdown.

    Nothing from the data can become markup: in the front matter it stands in JSON strings, which are YAML, and
    in the text it is escaped or stands in code spans.

    Args:
        view: What is known about the model.

    Source: Mitchell et al., Model Cards for Model Reporting, FAT* 2019.
    """
    sections = (
        ("Model details", _details(view)),
        ("Intended use", _intended(view)),
        ("Out of scope", _bullets(cautions(view))),
        ("Training data", _data(view)),
        ("Evaluation", _evaluation(view)),
        ("Limitations", _limitations(view)),
        ("How to use", _usage(view)),
        ("Provenance", _provenance(view)),
    )
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections)
    return f"{front_matter(view)}\n# {as_markdown(clean(view.model_name, 80))}\n\n{body}\n"


def front_matter(view: View) -> str:
    """Return the YAML block that heads the card."""
    kind = "tabular-classification" if view.task.is_classification else "tabular-regression"
    measured = [
        {
            "type": HUB_NAMES.get(name, name),
            "name": MEASURES[name].title,
            "value": round(score.value, 6),
            "verified": False,
        }
        for name, score in view.evidence.kpis.items()
        if name in MEASURES and math.isfinite(score.value)
    ]
    source = PurePath(without_secrets(str(view.manifest.data.get("source") or "table"))).name
    asked = (
        f"{view.task.kind.value}{' classification' if view.task.is_classification else ''} of {clean(view.task.target)}"
    )
    lines = [
        "---",
        "license: other",
        "library_name: modelwright",
        f"pipeline_tag: {kind}",
        f"tags: {_yaml(['tabular', 'modelwright', view.task.kind.value])}",
        f"metrics: {_yaml([m['type'] for m in measured])}",
        "model-index:",
        f"  - name: {_yaml(clean(view.model_name, 80))}",
        "    results:",
        f"      - task: {_yaml({'type': kind, 'name': asked})}",
        f"        dataset: {_yaml({'type': 'tabular', 'name': clean(source, 80), 'split': 'sealed rows'})}",
        "        metrics:" if measured else "        metrics: []",
        *(f"          - {_yaml(m)}" for m in measured),
        "---",
    ]
    return "\n".join(lines) + "\n"


def _yaml(value: object) -> str:
    """Return a value as YAML: every JSON text is one, and nothing in a JSON string is markup."""
    return json.dumps(value, ensure_ascii=False)


def _details(view: View) -> str:
    m = view.manifest
    learners = list(dict.fromkeys(str(e.get("learner", "")) for e in view.evidence.leaderboard if e.get("weight")))
    size = numbers.size(view.package_size_bytes) if view.package_size_bytes else ""
    lines = (
        f"Predicts {words.predicts(view.task)}.",
        words.answers(view.task, view.threshold),
        f"Made of: {words.listed(tuple(learners), 8)}." if learners else "",
        f"Made by modelwright {clean(m.version)}{f' on {m.created[:10]}' if m.created else ''}.",
        f"Size: {size}." if size else "",
    )
    return _bullets(lines)


def _intended(view: View) -> str:
    rows = "rows like the ones it was judged on: same columns, same source, same way of choosing them"
    worth = words.worth(view.evidence)
    return _bullets((f"To estimate {words.predicts(view.task)} for {rows}.", worth))


def _data(view: View) -> str:
    m, shown = view.manifest, view.contract.columns[:COLUMNS_SHOWN]
    n_rows, n_columns = (numbers.count(_number(m.data.get(k))) for k in ("rows", "columns"))
    split = f"Split: {m.split.get('how', '')}. {m.split.get('reason', '')}"
    head = _bullets((f"{n_rows} rows, {n_columns} columns.", split))
    rows = ((marked(c.name), c.role.value, c.kind.value, columns.missing(c), columns.seen(c)) for c in shown)
    rest = len(view.contract.columns) - len(shown)
    more = f"\n\nThe first {len(shown)} of {numbers.count(len(view.contract.columns))} columns." if rest else ""
    return f"{head}\n\n{_table(('Column', 'Role', 'Kind', 'Missing', 'Seen'), rows)}{more}"


def _evaluation(view: View) -> str:
    every = [*tables.quality(view), *tables.costs(view)]
    rows = ((m.title, m.value, m.interval, m.n_rows, m.method) for m in every)
    table = _table(("Measure", "Value", "95 % interval", "Rows", "Interval by"), rows)
    ranked = _table(("Column", "Importance", "95 % interval"), tables.importances(view)[:10])
    split = view.evidence.bias_variance.get("sentence", "")
    trained = [f"{name}: {verdict}, {rounds} rounds." for name, rounds, verdict in tables.convergences(view)]
    parts = (
        as_markdown(f"{words.headline(view)}."),
        table,
        f"### What matters most\n\n{ranked}" if view.evidence.importance else "",
        f"### Training\n\n{_bullets((*trained, str(split)))}" if trained or split else "",
    )
    return "\n\n".join(p for p in parts if p)


def _limitations(view: View) -> str:
    found = [
        f"{f.code}, {f.severity.value}: {words.finding_sentence(f)}. {f.action and f'Done: {clean(f.action, 200)}.'}"
        for f in view.findings[:60]
    ]
    return _bullets((*mistakes(view), *found, *view.evidence.notes[:20])) or "None were found."


def _usage(view: View) -> str:
    path = clean(PurePath(view.package_path or view.model_name).name, 80)
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in path).lstrip("-.") or "model"
    answer = "model.predict_proba(rows)  # the probability of every class" if view.task.is_classification else ""
    code = f'import modelwright\n\nmodel = modelwright.load("{safe}")\nmodel.predict(rows)\n{answer}'.rstrip()
    return f"```sh\nmodelwright predict {safe} new_rows.csv --out scored.parquet\n```\n\n```python\n{code}\n```"


def _provenance(view: View) -> str:
    told = [f"{name}: {marked(value, 400)}" for name, value in tables.provenance(view)]
    return _bullets((*told, f"Command: {marked(without_secrets(view.manifest.command), 4_000)}"))


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {as_markdown(s.strip())}" for s in sentences if s.strip())


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *([as_markdown(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
