"""Model text: the trees of every library in LightGBM's own readable form, written, checked and merged here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from modelwright.learners._table import TreeTable, between, starts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Floats, Ints

KEYS = (
    *("num_leaves", "num_cat", "split_feature", "threshold", "decision_type", "left_child", "right_child"),
    *("leaf_value", "is_linear", "shrinkage"),
)
CATEGORY_KEYS = (*KEYS[:2], "cat_boundaries", "cat_threshold", *KEYS[2:])
MISSING_RIGHT, MISSING_LEFT = 8, 10
"""LightGBM's decision types of a split on a number for which NaN is the missing value."""
END = "end of trees\n"


def compose(bodies: Sequence[str], n_features: int, n_outputs: int) -> bytes:
    """Return the text of trees; ``bodies`` are their lines without the number, the outputs taking turns."""
    blocks = [f"Tree={i}\n{body}\n\n\n" for i, body in enumerate(bodies)]
    return (header([len(b) for b in blocks], n_features, n_outputs) + "".join(blocks) + END).encode()


def header(sizes: Sequence[int], n_features: int, n_outputs: int) -> str:
    """Return the lines above the trees, the only ones accepted."""
    lines = (
        "tree",
        "version=v4",
        f"num_class={n_outputs}",
        f"num_tree_per_iteration={n_outputs}",
        "label_index=0",
        f"max_feature_idx={n_features - 1}",
        "feature_names=" + " ".join(f"f{i}" for i in range(n_features)),
        "feature_infos=" + " ".join(["none"] * n_features),
        "tree_sizes=" + " ".join(map(str, sizes)),
    )
    return "\n".join(lines) + "\n\n"


def bodies_of(text: bytes) -> list[str]:
    """Return the lines of each tree of a text that ``compose`` wrote."""
    _, _, rest = text.decode().partition("\n\nTree=")
    return [block.partition("\n")[2] for block in rest.split("\n\n\n")[:-1]]


def leaves_of(text: bytes) -> Ints:
    """Return how many leaves each tree of a text has."""
    return np.array(re.findall(rb"^num_leaves=(\d+)$", text, re.MULTILINE), dtype=np.int64)


def write(table: TreeTable, *, n_features: int, bias: Floats, scale: float = 1.0) -> bytes:
    """Return the text of a table.

    Args:
        table: The trees; with a leaf column for each of several outputs only their splits are told, and all
            leaves are zero, also those of a first tree without splits that stands for the bias.
        n_features: Columns of the matrix.
        bias: Added to each output, shape (n_outputs,); the trees of several outputs take turns.
        scale: Leaf values are multiplied by it.
    """
    if table.leaf.shape[1] > 1:
        return compose(_bodies(table, ["0"] * len(table.leaf), [0.0]), n_features, 1)
    return compose(_bodies(table, _spell(table.leaf[:, 0] * scale), bias.tolist()), n_features, len(bias))


def _body(n_leaves: int, splits: tuple[str, ...], leaves: str) -> str:
    values = (str(n_leaves), "0", *splits, leaves, "0", "1")
    return "\n".join(f"{key}={value}" for key, value in zip(KEYS, values, strict=True))


def _constants(bias: list[float]) -> list[str]:
    """Return trees of a single leaf."""
    return [_body(1, ("", "", "", "", ""), repr(value)) for value in bias]


def _bodies(table: TreeTable, leaves: list[str], bias: list[float]) -> list[str]:
    """Return the lines of each tree; all numbers are spelt at once, since spelling is what takes the time."""
    columns = (
        _whole(table.feature),
        _spell(between(table.bound)),
        _whole(np.where(table.missing_left, MISSING_LEFT, MISSING_RIGHT)),
        _whole(table.left),
        _whole(table.right),
    )
    first_split, first_leaf = starts(table.n_splits).tolist(), starts(table.n_splits + 1).tolist()
    bodies = _constants(bias)
    for n, s, at in zip(table.n_splits.tolist(), first_split, first_leaf, strict=True):
        splits = tuple(" ".join(column[s : s + n]) for column in columns)
        bodies.append(_body(n + 1, splits, " ".join(leaves[at : at + n + 1])))
    return bodies


def _whole(values: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> list[str]:
    return [str(v) for v in values.tolist()]


def _spell(values: Floats) -> list[str]:
    """Return numbers in ten digits: more than a float32 holds, and short."""
    return ("%.10g " * len(values) % tuple(values.tolist())).split()


def condense(source: str, *, n_features: int, n_outputs: int, scale: float = 1.0, bias: Floats | None = None) -> bytes:
    """Return LightGBM's own model text without what prediction does not read.

    Args:
        source: From ``Booster.model_to_string``.
        n_features: Columns of the matrix.
        n_outputs: Margins per row.
        scale: Leaf values are multiplied by it.
        bias: Added to each output, shape (n_outputs,).
    """
    trees, _, _ = source.partition("end of trees")
    bodies = [] if bias is None else _constants(bias.tolist())
    for block in trees.split("\n\nTree=")[1:]:
        lines = dict(line.split("=", 1) for line in block.split("\n")[1:] if line)
        lines["shrinkage"] = "1"
        # A split of missing from all else has an infinite threshold; the text holds finite numbers only,
        # and this one is over any float32.
        lines["threshold"] = lines["threshold"].replace("inf", "1e99")
        keys = CATEGORY_KEYS if lines["num_cat"] != "0" else KEYS
        bodies.append("\n".join(f"{key}={lines[key]}" for key in keys))
    return compose(_rescaled(bodies, scale, first=0 if bias is None else len(bias)), n_features, n_outputs)


def merge(texts: Sequence[bytes], weights: Floats, *, n_features: int, n_outputs: int) -> bytes:
    """Return one text whose margins are the weighted sums of those of several."""
    bodies = [b for text, w in zip(texts, weights.tolist(), strict=True) for b in _rescaled(bodies_of(text), w)]
    return compose(bodies, n_features, n_outputs)


def cut(text: bytes, share: float, *, n_outputs: int) -> tuple[bytes, int, int]:
    """Return the text of the first rounds, how many rounds there were, and how many are left.

    Trees of one leaf that come first stand for what is added to all rows, and are kept besides.
    """
    head, _, _ = text.partition(b"\n\nTree=")
    n_features = int(head.partition(b"max_feature_idx=")[2].split(b"\n", 1)[0]) + 1
    bodies = bodies_of(text)
    is_constant = all(body.startswith("num_leaves=1\n") for body in bodies[:n_outputs])
    n_first = n_outputs if is_constant and len(bodies) > n_outputs else 0
    n_rounds = max((len(bodies) - n_first) // n_outputs, 1)
    n_kept = min(max(round(n_rounds * share), 1), n_rounds)
    return compose(bodies[: n_first + n_kept * n_outputs], n_features, n_outputs), n_rounds, n_kept


def scale(text: bytes, factor: float, first: int, n_features: int, n_outputs: int) -> bytes:
    """Return the text with leaf values multiplied, from the tree number ``first`` on."""
    return compose(_rescaled(bodies_of(text), factor, first), n_features, n_outputs)


def _rescaled(bodies: list[str], scale: float, first: int = 0) -> list[str]:
    """Return the trees with their leaf values multiplied, from the ``first`` one on."""
    return bodies if scale == 1.0 else bodies[:first] + [_with_leaves(body, scale) for body in bodies[first:]]


def _with_leaves(body: str, scale: float) -> str:
    start = body.index("leaf_value=") + len("leaf_value=")
    end = body.index("\n", start)
    values = " ".join([repr(float(v) * scale) for v in body[start:end].split()])
    return body[:start] + values + body[end:]
