"""What is kept in memory, for how long, and where sequences are cut."""

from __future__ import annotations

import copy
import pickle
from hashlib import blake2b

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from asdbench.adapters.feature_cache import LONGEST, FeatureCache, digests, key_of, stretches


def rows(count: int, value: float = 0.0) -> torch.Tensor:
    return torch.full((count, 4), value)  # 16 bytes a row


def refuse() -> torch.Tensor:
    raise AssertionError("computed although it was there")


def contents(count: int, seed: int = 0) -> list[bytes]:
    return [blake2b(f"{seed} {i}".encode(), digest_size=16).digest() for i in range(count)]


def test_what_was_not_used_for_longest_goes():
    cache = FeatureCache(limit=5 * 16)
    for name, count in ((b"a", 2), (b"b", 2)):
        cache.once(name, lambda count=count: rows(count))
    assert torch.equal(cache.once(b"a", refuse), rows(2))
    cache.once(b"c", lambda: rows(3, 3.0))
    assert cache.size == 5 * 16
    cache.once(b"a", refuse)
    cache.once(b"c", refuse)
    assert (cache.found, cache.computed) == (2 + 2 + 3, 2 + 2 + 3)
    with pytest.raises(AssertionError, match="computed"):
        cache.once(b"b", refuse)


def test_what_is_larger_than_all_the_room_is_not_kept():
    cache = FeatureCache(limit=16)
    cache.once(b"small", lambda: rows(1))
    assert torch.equal(cache.once(b"large", lambda: rows(2, 5.0)), rows(2, 5.0))
    assert cache.size == 16
    cache.once(b"small", refuse)


def test_what_is_kept_keeps_nothing_else_alive():
    cache = FeatureCache()
    cache.once(b"a", lambda: rows(1000)[10:12])
    assert cache.once(b"a", refuse).untyped_storage().nbytes() == cache.size == 2 * 16


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda cache: pickle.loads(pickle.dumps(cache))])
def test_copies_are_empty_and_have_the_same_limit(copied):
    cache = FeatureCache(limit=16)
    cache.once(b"a", lambda: rows(1))
    other = copied(cache)
    assert (other.size, other.found, other.computed) == (0, 0, 0)
    other.once(b"b", lambda: rows(2))
    assert other.size == 0


def test_a_digest_is_of_all_that_is_known_of_a_picture():
    pictures = torch.arange(12, dtype=torch.uint8).view(3, 2, 2)
    pictures[2] = pictures[0]
    points = torch.zeros(3, 5)
    plain = digests([pictures])
    assert plain[0] == plain[2] != plain[1]
    assert digests([pictures, points])[0] not in plain
    points[2, 4] = 1
    with_points = digests([pictures, points])
    assert len(set(with_points)) == 3
    assert digests([pictures.view(3, 4, 1)])[0] != plain[0]


@given(
    lengths=st.lists(st.integers(1, 150), min_size=1, max_size=3),
    breaks=st.sets(st.integers(0, 200)),
    halo=st.integers(0, 3),
)
def test_stretches_are_the_runs_in_pieces(lengths, breaks, halo):
    stops = np.cumsum([length + 5 for length in lengths]).tolist()
    runs = [(stop - length, stop) for stop, length in zip(stops, lengths, strict=True)]
    found = stretches(runs, contents(stops[-1]), breaks, halo)
    assert [i for one in found for i in range(*one)] == [i for run in runs for i in range(*run)]
    assert all(0 < stop - start <= LONGEST for start, stop in found)
    for at in breaks:  # no stretch holds both frames that see across and frames that do not
        assert not any(start < at + side < stop for start, stop in found for side in (-halo, halo))


def test_the_same_pictures_are_cut_in_the_same_places():
    film = contents(2000)
    whole = stretches([(0, 2000)], film, (), 2)
    assert 20 < 2000 / len(whole) < 50
    for first in (1, 37, 500, 1111):
        part = stretches([(0, 2000 - first)], film[first:], (), 2)
        shared = {(start + first, stop + first) for start, stop in part} & set(whole)
        assert sum(stop - start for start, stop in shared) > 2000 - first - 3 * LONGEST


def test_a_key_is_all_that_is_seen():
    one = contents(12)
    key = key_of(one, 4, 8, 2)
    assert key_of([*contents(2, 1), *one[2:10], *contents(5, 2)], 4, 8, 2) == key
    assert key_of(one[2:10], 2, 6, 2) == key
    others = {key_of(one, 4, 7, 2), key_of(one[3:], 1, 5, 2), key_of(one[:9], 4, 8, 2)}
    for at in (2, 9):
        changed = [*one[:at], *contents(1, 3), *one[at + 1 :]]
        others.add(key_of(changed, 4, 8, 2))
    assert len({key, *others}) == 6
