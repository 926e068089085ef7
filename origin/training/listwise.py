"""A small network that ranks lists: how it is built and fitted.

The idea. A question is a list of candidates of which one was taken. Let the network give each
candidate a number s; read the softmax of a list as the probability of being taken, and minimise the
cross-entropy with what was taken (ListNet's top-one loss; Cao et al., "Learning to Rank: From
Pairwise Approach to Listwise Approach", ICML 2007). It pays attention where the ranking is decided:
among the likely ones.

A softmax does not care where zero lies, but a slate does: its base scores are probabilities in
[0, 1] that are mixed with a bandit's. So an offset is set afterwards, after which ``sigmoid(s)``
is, on average over the lists, the probability of being taken given that one of the list's ten best
is. One offset does: the softmax's own zero moved by half a logit from list to list (one standard
deviation). Asking for the same in the loss was tried and cost .002 NDCG@10.
"""

# pyright: reportUnknownMemberType=false, reportPrivateImportUsage=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

CALIBRATED_BEST = 10
BATCH = 128
LEARNING_RATE = 3e-3
HIDDEN = (64, 32)
DROPOUT = 0.1
ABSENT = -1e9

Step = Callable[[], object]
"""Called after each pass over the examples."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Lists to learn from.

    ``rows`` are (E, C, F) float32, ``present`` (E, C) says which of them are candidates, and
    ``goals`` (E, C) holds each list's probabilities of being taken, of sum 1.
    """

    rows: NDArray[np.float32]
    present: NDArray[np.bool_]
    goals: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)


class Network(nn.Module):
    """Two hidden layers beside a linear path; the inputs' scaling is part of it."""

    def __init__(self, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        width = len(mean)
        self.mean = nn.Buffer(mean)
        self.scale = nn.Buffer(scale)
        self.offset = nn.Buffer(torch.zeros(()))
        self.linear = nn.Linear(width, 1)
        self.deep = nn.Sequential(
            nn.Linear(width, HIDDEN[0]),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN[0], HIDDEN[1]),
            nn.ReLU(),
            nn.Linear(HIDDEN[1], 1),
        )

    def logits(self, features: Tensor) -> Tensor:
        """Return one number per row."""
        scaled = (features - self.mean) / self.scale  # (..., F)
        return (self.deep(scaled) + self.linear(scaled)).squeeze(-1)  # (...)

    def forward(self, features: Tensor) -> Tensor:
        """Return the probability of each row."""
        return torch.sigmoid(self.logits(features) + self.offset)  # (N,)


def fitted(examples: Examples, passes: int, seed: int, after_pass: Step) -> Network:
    """Return a network fitted to the examples, ready to answer."""
    torch.manual_seed(seed)
    # A second thread gains little on batches this small, and waits in vain on a busy machine.
    torch.set_num_threads(1)
    network = Network(*_scaling(examples))
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    steps = passes * -(-len(examples) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    generator = np.random.default_rng(seed)
    network.train()
    for _ in range(passes):
        order = generator.permutation(len(examples))
        for start in range(0, len(order), BATCH):
            picked = order[start : start + BATCH]
            loss = _loss(network, examples, picked)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        after_pass()
    network.eval()
    network.offset.copy_(_offset(network, examples))
    return network


def _loss(network: Network, examples: Examples, picked: NDArray[np.int64]) -> Tensor:
    goals = torch.from_numpy(examples.goals[picked])  # (B, C)
    present = torch.from_numpy(examples.present[picked])  # (B, C)
    logits = network.logits(torch.from_numpy(examples.rows[picked]))  # (B, C)
    logits = logits.masked_fill(~present, ABSENT)
    return -(goals * functional.log_softmax(logits, dim=1)).sum(dim=1).mean()


def _offset(network: Network, examples: Examples) -> Tensor:
    """Return minus the mean over the lists of log(sum of exp) of the ten best."""
    with torch.no_grad():
        logits = network.logits(torch.from_numpy(examples.rows))  # (E, C)
        logits = logits.masked_fill(~torch.from_numpy(examples.present), ABSENT)
        best = logits.topk(min(CALIBRATED_BEST, logits.shape[1]), dim=1).values  # (E, 10)
        return -torch.logsumexp(best, dim=1).mean()


def _scaling(examples: Examples) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each input, over a part of the lists."""
    part = slice(None, None, max(1, len(examples) // 1_000))
    rows = examples.rows[part][examples.present[part]]  # (M, F)
    return torch.from_numpy(rows.mean(axis=0)), torch.from_numpy(rows.std(axis=0) + 1e-3)


def mean_ndcg(network: Network, examples: Examples, k: int = 10) -> float:
    """Return NDCG@k of the network's order against each list's likeliest candidate."""
    with torch.no_grad():
        scores = network.logits(torch.from_numpy(examples.rows)).numpy()  # (E, C)
    return _ndcg(scores, examples, k)


def ndcg_of_order(examples: Examples, column: int, k: int = 10) -> float:
    """Return NDCG@k of ordering by one input, largest first."""
    return _ndcg(examples.rows[:, :, column], examples, k)


def _ndcg(scores: NDArray[np.float32], examples: Examples, k: int) -> float:
    scores = np.where(examples.present, scores, -np.inf)
    taken = examples.goals.argmax(axis=1)  # (E,)
    own = scores[np.arange(len(taken)), taken]
    ranks = (scores > own[:, None]).sum(axis=1)
    return float(np.where(ranks < k, 1.0 / np.log2(ranks + 2.0), 0.0).mean())
