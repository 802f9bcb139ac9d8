"""A network as a pupil of PyTorch, on a graphics card where there is one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.learners._network import Network
from modelwright.learners._training import MOMENTUM, SQUARES, TINY, Pupil

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.core.arrays import Floats
    from modelwright.learners._inputs import Inputs
    from modelwright.learners._training import Course, Rows, Schedule


class TorchPupil(Pupil):
    """A network inside PyTorch: all its parameters stand in one vector, which one step of Adam moves."""

    def __init__(self, torch: Any, start: Network, inputs: Inputs, course: Course) -> None:
        super().__init__(inputs, course)
        self.torch = torch
        self.draw = torch.Generator(device=course.device).manual_seed(course.seed % 2**63)
        named = start.named()
        self.n_layers = len(start.weights)
        self.vector = self._tensor(np.concatenate([a.ravel() for a in named.values()]))
        self.slope = torch.zeros_like(self.vector)
        self.parts = {name: part.requires_grad_() for name, part in self._views(self.vector, named)}
        for name, slope in self._views(self.slope, named):
            self.parts[name].grad = slope
        rates = {name: self.rate_of(name, a) for name, a in named.items()}
        self.rates = self._tensor(np.concatenate([np.full(a.size, rates[name]) for name, a in named.items()]))
        self.decays = self._tensor(np.concatenate([np.full(a.size, self.decay_of(name)) for name, a in named.items()]))
        self.mean, self.square = torch.zeros_like(self.vector), torch.zeros_like(self.vector)

    def _tensor(self, values: Any) -> Any:
        return self.torch.as_tensor(np.asarray(values, dtype=np.float32), device=self.course.device)

    def _views(self, vector: Any, named: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield each parameter as a part of the vector."""
        at = 0
        for name, like in named.items():
            yield name, vector[at : at + like.size].view(*like.shape)
            at += like.size

    def step(self, batch: Rows, schedule: Schedule) -> float:
        """Move all parameters once and return the batch's loss."""
        torch = self.torch
        self.slope.zero_()
        loss = self._loss(self._margins(batch, self.course.dropout * schedule.fading), batch)
        loss.backward()
        with torch.no_grad():
            self.mean.lerp_(self.slope, 1.0 - MOMENTUM)
            self.square.mul_(SQUARES).addcmul_(self.slope, self.slope, value=1.0 - SQUARES)
            lean = math.sqrt(1.0 - SQUARES**schedule.done) / (1.0 - MOMENTUM**schedule.done)
            step = self.mean / self.square.sqrt().add_(TINY)
            if self.course.decay:
                self.vector.sub_(self.vector * self.decays, alpha=schedule.rate * schedule.fading)
            self.vector.sub_(step.mul_(self.rates), alpha=schedule.rate * lean)
        return float(loss.detach())

    def margins(self, rows: Rows) -> Floats:
        """Return (n_members, n_rows, n_outputs) margins, nothing left out."""
        with self.torch.no_grad():
            told: Floats = self._margins(rows, 0.0).cpu().double().numpy()
        return told

    def _margins(self, rows: Rows, dropout: float) -> Any:
        """Return (n_members, n_rows, n_outputs) margins, by the same sums as ``Network.margins``."""
        torch, parts = self.torch, self.parts
        columns, codes = self.shown(rows)
        shown = self._tensor(columns)
        if codes.shape[1]:
            at = torch.as_tensor(codes, device=self.course.device)
            shown = torch.cat([shown, torch.nn.functional.embedding(at, parts["table"]).flatten(1)], dim=1)
        first = torch.mm(shown, parts["weight_0"])
        hidden = torch.addcmul(parts["bias_0"][:, None], first[None], parts["gate"][:, None]).relu_().flatten(0, 1)
        hidden = self._thinned(hidden, dropout)
        for i in range(1, self.n_layers):
            hidden = torch.addmm(parts[f"bias_{i}"], hidden, parts[f"weight_{i}"]).relu_()
            hidden = self._thinned(hidden, dropout)
        hidden = hidden.view(-1, len(shown), hidden.shape[1])
        return torch.baddbmm(parts["head_bias"][:, None], hidden, parts["head"])

    def _thinned(self, hidden: Any, dropout: float) -> Any:
        """Return units of which some are left out, the others the larger for it."""
        if not dropout:
            return hidden
        kept = self.torch.rand(hidden.shape, generator=self.draw, device=self.course.device) >= dropout
        return hidden * (kept / (1.0 - dropout))

    def _loss(self, margins: Any, rows: Rows) -> Any:
        """Return the mean loss of the members: each learns on its own."""
        functional, n_members = self.torch.nn.functional, len(margins)
        n_classes = self.course.n_classes
        if n_classes > 2:
            target = self.torch.as_tensor(rows.target, device=self.course.device)
            flat = functional.cross_entropy(margins.flatten(0, 1), target.repeat(n_members), reduction="none")
            losses = flat.view(n_members, -1)
        else:
            target = self._tensor(rows.target).expand(n_members, -1)
            measure = functional.binary_cross_entropy_with_logits if n_classes else functional.mse_loss
            losses = measure(margins[:, :, 0], target, reduction="none")
        return losses.mean() if rows.weight is None else (losses * self._tensor(rows.weight)).mean()

    def network(self) -> Network:
        """Return the network as it stands."""
        parts = {name: part.detach().cpu().numpy() for name, part in self.parts.items()}
        return Network.of({name: np.array(part, dtype=np.float64) for name, part in parts.items()})
