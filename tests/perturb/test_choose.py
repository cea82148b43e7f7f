"""Choices by hash: recorded values, so that no change of the rule goes unnoticed."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.perturb.choose import Chooser

RUN = "vid|ent:1|0"


@pytest.mark.parametrize(
    ("seed", "name", "run_id", "purpose", "expected"),
    [
        (20261120, "mismatch@1", RUN, "", 0.039094881562994566),
        (20261120, "mismatch@1", RUN, "sign", 0.4830868478026148),
        (0, "x@1", "", "", 0.07745989642156415),
    ],
)
def test_fraction_is_as_recorded(seed: int, name: str, run_id: str, purpose: str, expected: float) -> None:
    assert Chooser(seed, name).fraction(run_id, purpose) == expected


def test_ranks_are_as_recorded() -> None:
    ranks = Chooser(20261120, "mismatch@1").ranks(RUN, [b"a|b:1|40", b"c|d:2|1000"])
    assert ranks.dtype == np.uint64
    assert ranks.tolist() == [17004773847194142101, 2557740577711626335]


def test_ranks_are_the_documented_hash() -> None:
    expected = blake2b("\x1f".join(["7", "mismatch@1", RUN, "donor"]).encode(), digest_size=8).digest()
    assert Chooser(7, "mismatch@1").ranks(RUN, [b"donor"]).tolist() == [int.from_bytes(expected, "big")]


def test_no_donors_no_ranks() -> None:
    assert len(Chooser(7, "mismatch@1").ranks(RUN, [])) == 0


@given(st.integers(0, 2**63), st.text(), st.text(), st.text())
def test_fraction_is_in_the_half_open_unit_interval(seed: int, name: str, run_id: str, purpose: str) -> None:
    assert 0 <= Chooser(seed, name).fraction(run_id, purpose) < 1


def test_fraction_is_uniform() -> None:
    chooser = Chooser(1, "mismatch@1")
    values = np.array([chooser.fraction(f"video|face:{i}|{40 * i}") for i in range(4000)])
    counts, _ = np.histogram(values, bins=10, range=(0, 1))
    assert counts.min() > 320
    assert counts.max() < 480


def test_every_part_of_the_name_matters() -> None:
    base = Chooser(1, "mismatch@1").fraction(RUN)
    others = [
        Chooser(2, "mismatch@1").fraction(RUN),
        Chooser(1, "mismatch@2").fraction(RUN),
        Chooser(1, "misalign@1").fraction(RUN),
        Chooser(1, "mismatch@1").fraction("vid|ent:1|40"),
        Chooser(1, "mismatch@1").fraction(RUN, "size"),
        Chooser(1, "mismatch@1").fraction(RUN, "sign"),
    ]
    assert len({base, *others}) == 1 + len(others)
