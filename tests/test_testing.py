"""The public test doubles."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import asdbench
import asdbench.testing
from asdbench.adapters import MODELS
from asdbench.adapters.base import Adapter

RNG = np.random.default_rng(3)
FACES = [RNG.integers(0, 256, (40, 32), dtype=np.uint8) for _ in range(4)]
AUDIO = RNG.integers(-4000, 4000, 4 * 640).astype(np.int16)


def test_names():
    assert set(asdbench.testing.__all__) == {
        "Additive", "Blind", "Constant", "Deaf", "Oracle", "Phoneme", "PhonemeOracle",
    }  # fmt: skip
    assert all(name in (asdbench.testing.__doc__ or "") for name in asdbench.testing.__all__)


def test_example():
    results = doctest.testmod(asdbench.testing)
    assert results.attempted
    assert not results.failed


def test_the_test_in_its_documentation(fixture_root: Path, tmp_path: Path):
    run = asdbench.run(asdbench.testing.Deaf(), "unsync", fixture_root, out=tmp_path / "run", progress=False)
    assert len(run.table["retention"].dropna()) > 3
    assert (run.table["retention"].dropna() == 1).all()


def test_importing_it_does_not_import_torch():
    code = "import sys, asdbench.testing; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def without_checkpoint() -> list[str]:
    return [name for name in MODELS.names() if not MODELS.load(name).needs.needs_checkpoint]


def test_which_models_need_no_checkpoint():
    assert set(without_checkpoint()) == {"vad-lip", "constant", "deaf", "blind", "additive"}


@pytest.mark.parametrize("name", ["vad-lip", "constant", "deaf", "blind", "additive"])
def test_a_model_without_checkpoint_is_built_with_and_without_options(name: str):
    kind = MODELS.load(name)
    bare, explicit = kind(), kind(options=kind.Options())
    assert isinstance(bare, Adapter)
    assert bare.options == explicit.options == kind.Options()
    np.testing.assert_array_equal(bare.score_track(AUDIO, FACES, 25), explicit.score_track(AUDIO, FACES, 25))
