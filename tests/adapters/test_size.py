"""How large a model is."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from asdbench.adapters.size import count_parameters


class Own:
    """A user's model: networks among its attributes, one of them twice."""

    def __init__(self) -> None:
        self.ears = torch.nn.Linear(3, 2)
        self.eyes = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), self.ears)
        self.name = "own"


@pytest.mark.parametrize(
    ("model", "expected"), [(Own(), 3 * 2 + 2 + 2 * 2), (torch.nn.Linear(4, 1), 5), (object(), None), (len, None)]
)
def test_each_learned_number_counts_once(model: Any, expected: int | None) -> None:
    assert count_parameters(model) == expected
