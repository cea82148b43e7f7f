"""Memory of a process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from asdbench.engine.peaks import most, peak_memory

HOLDS = """
from asdbench.engine.peaks import peak_memory
before = peak_memory("cpu")["peak_rss_bytes"]
held = bytearray(b"x" * (1 << 10)) * (64 << 10)
del held
print(before, peak_memory("cpu")["peak_rss_bytes"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell")
def test_what_a_process_once_held_counts() -> None:
    # In a process of its own, for this one may have held more before.
    result = subprocess.run([sys.executable, "-c", HOLDS], capture_output=True, text=True, check=True)
    before, after = map(int, result.stdout.split())
    assert 50 * 2**20 < after - before < 100 * 2**20
    assert set(peak_memory("cpu")) == {"peak_rss_bytes"}, "no GPU was used"


def test_of_several_processes_the_highest_counts() -> None:
    assert most([{"a": 1, "b": 5}, {"a": 3}]) == {"a": 3, "b": 5}
    assert most([]) == {}
