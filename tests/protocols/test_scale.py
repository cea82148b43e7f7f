"""The AVA-sized case: 770,000 rows, from the files to the number, without and with ties."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from asdbench.metrics import interval, replicate, resampling_of
from asdbench.metrics.units import Units
from asdbench.metrics.weighted import RankedRows
from asdbench.protocols.ava_files import read_labels, read_predictions
from asdbench.protocols.ava_rows import join_rows
from asdbench.protocols.frame_ap import frame_ap

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["distinct", "float32", "round2"])
def scale(request, shared, tmp_path_factory):
    """(recorded values, joined rows) of the generated case."""
    folder = tmp_path_factory.mktemp(request.param)
    script = shared / "protocols" / "scale" / "make_scale.py"
    subprocess.run([sys.executable, script, folder, "--scores", request.param], check=True, capture_output=True)
    rows = join_rows(read_labels(folder / "groundtruth.csv"), read_predictions(folder / "predictions.csv"))
    expected = json.loads((script.parent / "expected.json").read_text())
    assert (len(rows.label), int(rows.positive.sum())) == (expected["rows"], expected["positives"])
    return expected[request.param], rows


def test_the_number_of_an_ava_sized_run(scale):
    expected, rows = scale
    found = frame_ap(rows.positive, rows.score)
    assert found.ap == pytest.approx(expected["sklearn_average_precision_score"], abs=1e-12)
    if "official_ap" in expected:
        assert found.ava == pytest.approx(expected["official_ap"], abs=1e-12)
        assert found.tied_share == 0
        return
    assert found.ava == pytest.approx(expected["ap_ties_worst_case"], abs=1e-12)
    assert found.ava_best == pytest.approx(expected["ap_ties_best_case"], abs=1e-12)
    assert found.tied_share == expected["rows_in_ties"] / 770_000
    for official in expected["by_environment"].values():
        assert found.ava <= official <= found.ava_best


def test_its_interval(scale):
    _, rows = scale
    units = Units("source", rows.truth.videos, rows.truth.video)
    ranked = RankedRows(rows.positive, rows.score, units.of_row, units.count)
    found = interval(replicate(ranked.average_precision, resampling_of(units, count=100)))
    assert found.estimate == pytest.approx(frame_ap(rows.positive, rows.score).ava, abs=1e-12)
    assert (found.units, found.status) == (33, "ok")
    assert found.low < found.estimate < found.high
    assert 0.01 < found.high - found.low < 0.05  # over frames it would be 0.001
