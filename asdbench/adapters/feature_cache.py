"""Features of frames, kept in memory for as long as they fit, by the content of the pictures they were computed from.

LoCoNet looks at three faces together, so each face of a scene is looked at with several targets. Away from the borders
between the faces its features are the same each time. What is kept is therefore found by content: no other part of the
program has to say which face it is.

A sequence of pictures is cut into stretches, and a stretch is computed or found as a whole. Where the cuts lie depends
on the pictures alone, not on what is known already. Otherwise the same track would be computed in other batches after
other tracks, and its scores would differ in their last bits: a run that was interrupted and resumed must give the same
bytes as one that was not.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from hashlib import blake2b

from torch import Tensor

DIGEST = 16
"""Bytes of the digest of one picture."""

SHORTEST, LONGEST = 16, 64
"""Frames of a stretch: cut after the first where the content says so, and after the second anyway."""

_ONE_IN = 16  # of the pictures that may be the first of a stretch
_BYTES = 256 << 20


class FeatureCache:
    """Features by content; what was not used for longest goes first.

    Args:
        limit: Bytes that all features together may take.

    Attributes:
        found: Frames whose features were there.
        computed: Frames whose features were not.
        size: Bytes that all features together take.
    """

    def __init__(self, limit: int = _BYTES) -> None:
        self._limit = limit
        self._features: OrderedDict[bytes, Tensor] = OrderedDict()
        self.found = self.computed = self.size = 0

    def __reduce__(self) -> tuple[type[FeatureCache], tuple[int]]:
        """Copy and send to other processes the empty cache: what is in it can be computed there."""
        return FeatureCache, (self._limit,)

    def clear(self) -> None:
        """Drop all features."""
        self._features.clear()
        self.size = 0

    def once(self, key: bytes, compute: Callable[[], Tensor]) -> Tensor:
        """Return the features ``[t, ...]`` of a key, computed if they are not there."""
        kept = self._features.get(key)
        if kept is not None:
            self._features.move_to_end(key)
            self.found += len(kept)
            return kept
        made = compute()
        self.computed += len(made)
        self._keep(key, made)
        return made

    def _keep(self, key: bytes, made: Tensor) -> None:
        if made.nbytes > self._limit:
            return
        if made.untyped_storage().nbytes() > made.nbytes:
            made = made.clone()  # a view would keep alive what it is a part of
        self._features[key] = made
        self.size += made.nbytes
        while self.size > self._limit:
            _, oldest = self._features.popitem(last=False)
            self.size -= oldest.nbytes


def digests(inputs: Sequence[Tensor]) -> list[bytes]:
    """Return what identifies the content of each picture.

    Args:
        inputs: What is known of the pictures, ``[N, ...]`` each, on the CPU.
    """
    rows = [tensor.contiguous().view(len(tensor), -1).numpy() for tensor in inputs]
    shapes = repr([(tensor.shape[1:], tensor.dtype) for tensor in inputs]).encode()
    found = []
    for parts in zip(*rows, strict=True):
        state = blake2b(shapes, digest_size=DIGEST)
        for part in parts:
            state.update(part.data)
        found.append(state.digest())
    return found


def stretches(
    runs: Sequence[tuple[int, int]], sequence: Sequence[bytes], breaks: Collection[int], halo: int
) -> list[tuple[int, int]]:
    """Cut runs of frames into the stretches that are computed or found as a whole.

    Frames that see both sides of a break (another face, or none) are stretches of their own, since the same face will
    be seen next to others. Elsewhere the pictures say where to cut, so that the same pictures are cut in the same
    places, be the sequence ever so much longer or shorter at its ends.

    Args:
        runs: Frames ``(start, stop)`` of the sequence.
        sequence: The digest of each picture.
        breaks: Frames with which something else begins, the first frame and the end included.
        halo: Frames to either side that a frame sees.

    Returns:
        The same frames, in the same order.
    """
    borders = {at + side for at in breaks for side in (-halo, halo)}
    found = []
    for start, stop in runs:
        last = start
        for at in range(start + 1, stop):
            length = at - last
            chosen = length >= SHORTEST and sequence[at][0] % _ONE_IN == 0
            if at in borders or chosen or length >= LONGEST:
                found.append((last, at))
                last = at
        found.append((last, stop))
    return found


def key_of(sequence: Sequence[bytes], start: int, stop: int, halo: int) -> bytes:
    """Return the key of a stretch: all that its frames see, and where the sequence ends."""
    nothing = bytes(DIGEST)
    before, after = max(0, halo - start), max(0, stop + halo - len(sequence))
    seen = sequence[max(0, start - halo) : stop + halo]
    return blake2b(b"".join([*[nothing] * before, *seen, *[nothing] * after]), digest_size=DIGEST).digest()
