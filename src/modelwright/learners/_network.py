"""The network: a few small networks in one, as plain arrays that numpy runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.learners._unfolding import array, refuse, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Array, Floats, Ints
    from modelwright.core.state import State

VECTOR = 8
"""Numbers that stand for one code of a category."""
CHUNK_CELLS = 4_000_000
"""Hidden cells computed at once, so that memory does not grow with the rows."""
MEMBERS_MAX, LAYERS_MAX, WIDTH_MAX = 64, 8, 4_096


@dataclass(frozen=True, slots=True)
class Network:
    """Several networks that share all but the gates behind their first layer and their heads.

    After TabM of Gorishniy et al. (2025): members answer on their own, and the answer is their mean. Its mini form has
    gates before the first layer; behind it they say as much, and that layer, the widest, is computed once for all.

    Attributes:
        table: Shape (n_codes of all categories, ``VECTOR``).
        gate: By which each member multiplies the first layer's units, shape (n_members, width).
        weights: Of each hidden layer, shape (n_in, n_out).
        biases: Of each hidden layer: shape (n_members, width) of the first, (width,) of the others.
        head: Shape (n_members, width, n_outputs).
        head_bias: Shape (n_members, n_outputs).
    """

    table: Floats
    gate: Floats
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    head: Floats
    head_bias: Floats

    @property
    def n_members(self) -> int:
        """How many answers are averaged."""
        return int(self.gate.shape[0])

    @property
    def n_outputs(self) -> int:
        """Margins per row and member."""
        return int(self.head.shape[2])

    @property
    def is_finite(self) -> bool:
        """Whether all numbers are numbers."""
        return all(bool(np.isfinite(part).all()) for part in self.named().values())

    def chunk_rows(self) -> int:
        """Return how many rows are computed at once."""
        widest = max(len(self.weights[0]), *(self.n_members * weight.shape[1] for weight in self.weights))
        return max(1, int(CHUNK_CELLS // widest))

    def margins(self, columns: Floats, codes: Ints) -> Floats:
        """Return (n_members, n_rows, n_outputs) margins of rows that ``Inputs`` made.

        Numbers are doubles: a row then answers as it does in a batch, whichever way the library adds up.
        """
        shown = columns
        if codes.shape[1]:
            shown = np.concatenate([columns, self.table[codes].reshape(len(columns), -1)], axis=1)
        hidden = (shown @ self.weights[0])[None] * self.gate[:, None]
        hidden += self.biases[0][:, None]
        np.maximum(hidden, 0.0, out=hidden)
        hidden = hidden.reshape(-1, hidden.shape[2])
        for weight, bias in zip(self.weights[1:], self.biases[1:], strict=True):
            hidden = hidden @ weight
            hidden += bias
            np.maximum(hidden, 0.0, out=hidden)
        by_member = hidden.reshape(self.n_members, len(columns), self.head.shape[1])
        return np.asarray(by_member @ self.head + self.head_bias[:, None])

    def named(self) -> dict[str, Array]:
        """Return the arrays by name; layers are numbered."""
        layers = {f"weight_{i}": w for i, w in enumerate(self.weights)}
        layers |= {f"bias_{i}": b for i, b in enumerate(self.biases)}
        fixed = {"table": self.table, "gate": self.gate, "head": self.head, "head_bias": self.head_bias}
        return {**fixed, **layers}

    @classmethod
    def of(cls, named: Mapping[str, Array]) -> Network:
        """Return the network of arrays by name, as doubles."""
        n_layers = sum(name.startswith("weight_") for name in named)
        doubles: dict[str, Any] = {k: np.ascontiguousarray(v, dtype=np.float64) for k, v in named.items()}
        return cls(
            table=doubles["table"],
            gate=doubles["gate"],
            weights=tuple(doubles[f"weight_{i}"] for i in range(n_layers)),
            biases=tuple(doubles[f"bias_{i}"] for i in range(n_layers)),
            head=doubles["head"],
            head_bias=doubles["head_bias"],
        )

    def meta(self) -> dict[str, Any]:
        """Return what a state's meta needs."""
        return {"n_members": self.n_members, "n_outputs": self.n_outputs, "n_layers": len(self.weights)}

    def arrays(self, prefix: str = "") -> dict[str, Array]:
        """Return what a state's arrays need, each name with a prefix: singles, which is what was learnt."""
        return {prefix + name: value.astype(np.float32) for name, value in self.named().items()}

    @classmethod
    def restore(cls, state: State, n_columns: int, n_codes: int, n_coded: int, prefix: str = "") -> Network:
        """Return the network of a state, for so many columns and codes; arrays that do not fit are refused."""

        def stored(name: str, shape: tuple[int | None, ...]) -> Any:
            return array(state, prefix + name, shape)

        n_members = whole(state, "n_members", 1, MEMBERS_MAX)
        n_outputs = whole(state, "n_outputs", 1, 100_000)
        n_inputs = n_columns + n_coded * VECTOR
        named = {"table": stored("table", (n_codes, VECTOR))}
        width = n_inputs
        for i in range(whole(state, "n_layers", 1, LAYERS_MAX)):
            named[f"weight_{i}"] = stored(f"weight_{i}", (width, None))
            width = named[f"weight_{i}"].shape[1]
            named[f"bias_{i}"] = stored(f"bias_{i}", (width,) if i else (n_members, width))
        if not width:
            refuse(state.kind, "a hidden layer has units", width)
        named["gate"] = stored("gate", (n_members, named["weight_0"].shape[1]))
        named["head"] = stored("head", (n_members, width, n_outputs))
        named["head_bias"] = stored("head_bias", (n_members, n_outputs))
        return cls.of(named)


class Abreast:
    """Networks of one shape, laid side by side for one row: each layer of all of them is one product.

    Args:
        networks: One for each start.
        n_columns: How many numbers ``Inputs`` makes beside what is looked up.
    """

    def __init__(self, networks: Sequence[Network], n_columns: int) -> None:
        n, (_, width) = len(networks), networks[0].weights[0].shape
        self._shape = (n, 1, width)
        self._tables = np.stack([network.table for network in networks])
        self._of_columns = np.ascontiguousarray(np.hstack([network.weights[0][:n_columns] for network in networks]))
        self._of_vectors = np.stack([network.weights[0][n_columns:] for network in networks])
        self._gate = np.stack([network.gate for network in networks])
        self._bias = np.stack([network.biases[0] for network in networks])
        self._layers = [
            (np.stack([network.weights[i] for network in networks]), np.stack([n.biases[i][None] for n in networks]))
            for i in range(1, len(networks[0].weights))
        ]
        self._head = np.concatenate([network.head for network in networks])
        self._head_bias = np.concatenate([network.head_bias for network in networks])

    def margins(self, columns: Floats, codes: Ints) -> Floats:
        """Return (n_members of all networks, n_outputs) margins of one row.

        Args:
            columns: Shape (n_columns,).
            codes: Shape (n_coded,), what is looked up.
        """
        first = (columns @ self._of_columns).reshape(self._shape)
        if len(codes):
            first += self._tables[:, codes].reshape(len(self._tables), 1, -1) @ self._of_vectors
        hidden = first * self._gate
        hidden += self._bias
        np.maximum(hidden, 0.0, out=hidden)
        for weights, bias in self._layers:
            hidden = hidden @ weights
            hidden += bias
            np.maximum(hidden, 0.0, out=hidden)
        told = hidden.reshape(len(self._head), 1, -1) @ self._head
        return np.asarray(told[:, 0] + self._head_bias)


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a network is: members, hidden layers, the units of each, and rows of the table of vectors."""

    members: int
    layers: int
    width: int
    codes: int


def start(shape: Shape, columns: Floats, codes: Ints, answer: Floats, rng: np.random.Generator) -> Network:
    """Return a network before training, which answers every row with ``answer``, shape (n_outputs,).

    Args:
        shape: Its size, and of its table.
        columns: Some rows, as ``Inputs`` makes them: each layer is scaled so that on them its units vary by one.
        codes: Their codes.
        answer: Margins to begin with.
        rng: All randomness comes from it.
    """
    table = rng.normal(size=(shape.codes, VECTOR)) * 0.5
    shown = np.concatenate([columns, table[codes].reshape(len(columns), -1)], axis=1)
    spread = 0.5 if shape.members > 1 else 0.0
    gate = 1.0 + spread * rng.normal(size=(shape.members, shape.width))
    weights, biases = [_scaled(shown, shape.width, rng)], [0.5 * rng.normal(size=(shape.members, shape.width))]
    hidden = np.maximum((shown @ weights[0])[None] * gate[:, None] + biases[0][:, None], 0.0).reshape(-1, shape.width)
    for _ in range(shape.layers - 1):
        weights.append(_scaled(hidden, shape.width, rng))
        biases.append(0.5 * rng.normal(size=shape.width))
        hidden = np.maximum(hidden @ weights[-1] + biases[-1], 0.0)
    head = np.zeros((shape.members, shape.width, len(answer)))
    return Network(table, gate, tuple(weights), tuple(biases), head, np.tile(answer, (shape.members, 1)))


def _scaled(given: Floats, width: int, rng: np.random.Generator) -> Floats:
    """Return random weights by which what is given makes units that vary by about one."""
    weight = rng.normal(size=(given.shape[1], width)) / np.sqrt(given.shape[1])
    return np.asarray(weight / max(float((given @ weight).std(axis=0).mean()), 1e-2))
