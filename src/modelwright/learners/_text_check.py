"""The check of model text: LightGBM's C reader trusts what it is given, so nothing reaches it unchecked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from modelwright.learners._table import starts
from modelwright.learners._text import CATEGORY_KEYS, END, header
from modelwright.learners._unfolding import refuse

if TYPE_CHECKING:
    from modelwright.core.arrays import Bools, Ints

WHOLE = r"-?[0-9]{1,10}+"
EXPONENT = r"e(?:\+?(?:[12][0-9]{2}|[0-9]{1,2})|-[0-9]{1,3})"
REAL = rf"-?(?:[0-9]{{10,20}}+(?:\.[0-9]++)?+|[0-9]{{1,9}}+(?:\.[0-9]++)?+(?:{EXPONENT})?+)"
"""Spellings of numbers that are finite and that Python and C read alike."""


def _grammar() -> re.Pattern[str]:
    """Return the pattern of one tree: its lines in their only order, the array of each line as a group."""
    array = dict.fromkeys(CATEGORY_KEYS, rf"((?:{WHOLE}(?: {WHOLE})*+)?+)")
    array |= dict.fromkeys(("threshold", "leaf_value"), rf"((?:{REAL}(?: {REAL})*+)?+)")
    array |= {"num_leaves": f"({WHOLE})", "num_cat": f"({WHOLE})", "is_linear": "(0)", "shrinkage": "(1)"}
    lines = {key: f"{key}={array[key]}\n" for key in CATEGORY_KEYS}
    sets = "".join(lines.pop(key) for key in ("cat_boundaries", "cat_threshold"))
    head = lines.pop("num_leaves") + lines.pop("num_cat")
    return re.compile(rf"Tree=([0-9]{{1,9}}+)\n{head}(?:{sets})?{''.join(lines.values())}\n\n", re.ASCII)


TREE = _grammar()
GROUPS = ("Tree", *CATEGORY_KEYS)


def check(text: bytes, *, n_features: int, n_outputs: int) -> None:
    """Pass a text that ``_text.compose`` could have written for this many features and outputs.

    Each tree's arrays fit its number of leaves, children point downwards and are pointed at once (so every path
    ends in a leaf), features exist, category sets lie within their list, numbers are finite.

    Raises:
        InvalidPackage: Anything else.
    """
    if not text.isascii() or not text.endswith(b"\n\n\n" + END.encode()):
        _refuse("ends early or holds foreign letters")
    told = text.decode("ascii")
    first, end = told.find("\n\nTree=") + 2, len(told) - len(END)
    sizes, columns = _trees(told, first, end)
    if told[:first] != header(sizes, n_features, n_outputs):
        _refuse("the lines above the trees contradict the trees")
    if not sizes or len(sizes) % n_outputs:
        _refuse("trees that do not go round all outputs")
    _check_trees(columns, n_features)


def _refuse(got: str) -> NoReturn:
    refuse("trees.model", "a model of trees is a text that was written by modelwright", got)


def _trees(told: str, first: int, end: int) -> tuple[list[int], dict[str, list[str]]]:
    """Return the length of each tree, and the array of each line, one per tree."""
    sizes: list[int] = []
    rows: list[tuple[str, ...]] = []
    while first < end:
        found = TREE.match(told, first, end)
        if found is None or found[1] != str(len(rows)):
            _refuse(f"tree {len(rows)} has other lines than a tree has")
        rows.append(found.groups(""))
        sizes.append(found.end() - first)
        first = found.end()
    return sizes, dict(zip(GROUPS, map(list, zip(*rows, strict=True)), strict=False))


def _counts(column: list[str]) -> Ints:
    """Return how many numbers each tree has in a line."""
    return np.array([array.count(" ") + 1 if array else 0 for array in column], dtype=np.int64)


def _whole(column: list[str]) -> tuple[Ints, Ints]:
    """Return the numbers of all trees and how many each has."""
    joined = " ".join(filter(None, column))
    return np.fromstring(joined, dtype=np.int64, sep=" "), _counts(column)


def _check_trees(columns: dict[str, list[str]], n_features: int) -> None:
    n_leaves, _ = _whole(columns["num_leaves"])
    if (n_leaves < 1).any() or (_counts(columns["leaf_value"]) != n_leaves).any():
        _refuse("a tree with other leaf values than leaves")
    n_splits = n_leaves - 1
    parts = {key: _whole(columns[key]) for key in ("split_feature", "decision_type", "left_child", "right_child")}
    lengths = [_counts(columns["threshold"]), *(counts for _, counts in parts.values())]
    if any((counts != n_splits).any() for counts in lengths):
        _refuse("a tree whose arrays have other lengths than its splits")
    feature, decision = parts["split_feature"][0], parts["decision_type"][0]
    if ((feature < 0) | (feature >= n_features)).any():
        _refuse("a split on a feature that is not there")
    if ((decision < 0) | (decision > 11)).any():
        _refuse("a split of an unknown type")
    _check_children(parts["left_child"][0], parts["right_child"][0], n_splits)
    _check_categories(columns, n_splits, (decision & 1) == 1)


def _check_children(left: Ints, right: Ints, n_splits: Ints) -> None:
    """Refuse all but trees: a child lies below its parent, and each split and leaf has exactly one parent."""
    tree = np.repeat(np.arange(len(n_splits)), n_splits)
    own = np.arange(len(tree)) - starts(n_splits)[tree]
    child, tree, own = np.concatenate([left, right]), np.tile(tree, 2), np.tile(own, 2)
    to_leaf = child < 0
    place = np.where(to_leaf, ~child, child)
    if (place >= n_splits[tree] + to_leaf).any() or (~to_leaf & (child <= own)).any():
        _refuse("a child that is not there")
    leaf_at, split_at = starts(n_splits + 1)[tree] + place, starts(n_splits)[tree] + place
    seen_leaves = np.bincount(leaf_at[to_leaf], minlength=int((n_splits + 1).sum()))
    seen_splits = np.bincount(split_at[~to_leaf], minlength=int(n_splits.sum()))
    has_splits = n_splits > 0
    wanted_splits = np.ones(int(n_splits.sum()), dtype=np.int64)
    wanted_splits[starts(n_splits)[has_splits]] = 0
    if (seen_leaves != np.repeat(has_splits, n_splits + 1)).any() or (seen_splits != wanted_splits).any():
        _refuse("a split or leaf with no parent or two")


def _check_categories(columns: dict[str, list[str]], n_splits: Ints, is_category: Bools) -> None:
    """Refuse sets of categories that reach outside the list of their tree."""
    n_sets, _ = _whole(columns["num_cat"])
    bounds, n_bounds = _whole(columns["cat_boundaries"])
    words, n_words = _whole(columns["cat_threshold"])
    if (n_sets < 0).any() or (n_bounds != np.where(n_sets > 0, n_sets + 1, 0)).any():
        _refuse("a tree with other category sets than it says")
    tree = np.repeat(np.arange(len(n_splits)), n_splits)[is_category]
    if len(tree):
        thresholds = " ".join(filter(None, columns["threshold"])).split(" ")
        chosen = np.array([float(thresholds[i]) for i in np.flatnonzero(is_category)])
        if ((chosen < 0) | (chosen >= n_sets[tree]) | (chosen != np.floor(chosen))).any():
            _refuse("a split on a category set that is not there")
    if ((words < 0) | (words >= 2**32)).any():
        _refuse("a category set that is not one")
    with_sets = n_bounds > 0
    first = starts(n_bounds)[with_sets]
    last = first + n_bounds[with_sets] - 1
    rises = np.diff(bounds) > 0
    rises[last[:-1]] = True  # between two trees nothing need rise
    if (bounds[first] != 0).any() or (bounds[last] != n_words[with_sets]).any() or not rises.all():
        _refuse("category sets outside their list")
    if n_words[~with_sets].any():
        _refuse("a list of categories without sets")
