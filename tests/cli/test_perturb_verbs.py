"""``asdbench suites show``, ``asdbench perturb show`` and ``asdbench perturb audit``."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from asdbench.perturb.absence import SilenceEdit
from tests.cli.conftest import Cli

OWN = """name = "own"
version = 2
seed = 7
summary = "Own."

[[condition]]
name = "clean"
role = "reference"

[[condition]]
name = "quiet"
perturbation = "silence@1"
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


# --- suites ------------------------------------------------------------------------------------------------------


def test_suites_show_prints_every_condition(cli: Cli) -> None:
    found = cli("suites", "show", "unsync@1")
    assert found.exit_code == 0
    lines = found.out.splitlines()
    assert lines[0].startswith("unsync@1: ")
    assert lines[3].split() == ["condition", "perturbation", "proportion", "labels", "role", "options"]
    assert lines[6].split() == ["mismatch@0.25", "mismatch@1", "0.25", "negative", "test"]
    assert len(lines) == 4 + 10


def test_suites_show_names_options_and_parts(cli: Cli) -> None:
    out = cli("suites", "show", "modality").out
    assert "parts = [replace_audio(draw = 2); replace_faces(draw = 1)]" in out
    assert "scope = track" in out


def test_suites_show_as_json(cli: Cli, own: Path) -> None:
    found = cli("suites", "show", own, "--json").json
    assert (found["name"], found["version"], found["seed"]) == ("own", 2, 7)
    assert [c["perturbation"] for c in found["conditions"]] == [None, "silence@1"]


@pytest.mark.parametrize(("old", "new"), [("silence@1", "silence@9"), ("silence@1", "silenc")])
def test_suites_show_checks_a_users_file(cli: Cli, own: Path, old: str, new: str) -> None:
    own.write_text(OWN.replace(old, new), encoding="utf-8")
    found = cli("suites", "show", own)
    assert found.exit_code == 2
    assert found.err.startswith(f"error: suite {own}, condition 'quiet': there is no perturbation '{new}'")


# --- show --------------------------------------------------------------------------------------------------------


def test_perturb_show_writes_two_files(cli: Cli, fixture_root: Path, tmp_path: Path) -> None:
    found = cli("perturb", "show", "--data", fixture_root, "--with", "shift", "--option", "ms=-120.5", "--out", "shown")
    assert found.exit_code == 0, found.err
    video, sheet = (Path(line) for line in found.out.splitlines())
    assert (video.parent, video.suffix, sheet.suffix) == (Path("shown"), ".mp4", ".png")
    assert "120 ms early" in found.err or "121 ms early" in found.err
    with av.open(str(tmp_path / video)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio", "audio"]


def test_perturb_show_takes_a_condition_of_a_suite(cli: Cli, fixture_root: Path, own: Path) -> None:
    assert cli("perturb", "show", "--data", fixture_root, "--suite", own, "--out", "a").exit_code == 0
    several = cli("perturb", "show", "--data", fixture_root, "--suite", "unsync", "--out", "a")
    assert (several.exit_code, "add --condition NAME" in several.err) == (2, True)
    named = cli(
        "perturb", "show", "--data", fixture_root, "--suite", "unsync", "--condition", "mismatch@0.5", "--out", "a"
    )
    assert (named.exit_code, "did you mean mismatch@" in named.err) == (2, True)


def test_perturb_show_finds_a_track_by_either_name(cli: Cli, fixture_root: Path) -> None:
    from asdbench.data import open_dataset

    track = open_dataset(fixture_root).tracks[1]
    for name in ("/".join(track.key), track.entity_id):
        found = cli("perturb", "show", name, "--data", fixture_root, "--with", "lip_mask", "--out", "shown")
        assert found.exit_code == 0, found.err
        assert found.err.startswith("/".join(track.key))
    wrong = cli(
        "perturb", "show", f"{track.entity_id}9", "--data", fixture_root, "--with", "lip_mask", "--out", "shown"
    )
    assert (wrong.exit_code, track.entity_id in wrong.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "a"], "give either --with PERTURBATION or --suite SUITE"),
        (["--with", "silence", "--suite", "unsync", "--out", "a"], "give either --with"),
        (["--with", "silence", "--condition", "it", "--out", "a"], "--condition to --suite"),
        (["--with", "silenc", "--out", "a"], "there is no perturbation 'silenc'; did you mean silence"),
        (["--with", "shift", "--out", "a"], "options of 'shift'"),
        (["--with", "shift", "--option", "ms=late", "--out", "a"], "options of 'shift'"),
        (["--with", "shift", "--option", "ms", "--out", "a"], "expected name=value"),
        (["--with", "shift", "--option", "ms=50000", "--out", "a"], "changes no track: the shift leaves no real audio"),
    ],
)
def test_perturb_show_refuses_in_one_sentence(cli: Cli, fixture_root: Path, arguments: list[str], said: str) -> None:
    found = cli("perturb", "show", "--data", fixture_root, *arguments)
    assert found.exit_code == 2
    assert said in found.err
    assert len(found.err.strip().splitlines()) == 1


# --- audit -------------------------------------------------------------------------------------------------------


def test_perturb_audit_prints_what_was_measured(cli: Cli, fixture_root: Path) -> None:
    found = cli("perturb", "audit", "--data", fixture_root, "--suite", "unsync", "--sample", "2")
    assert found.exit_code == 0
    assert found.out.splitlines()[0].split() == ["condition", "check", "n", "measured", "wanted", "unit", "result"]
    assert "shift error" in found.out
    assert "AUROC" in found.out
    assert "are needed to fit a classifier" in found.out  # the fixture has too few sources


def test_perturb_audit_fails_where_something_else_was_done(
    cli: Cli, fixture_root: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SilenceEdit, "apply", lambda self, original, media, lender: original // 100)
    found = cli("perturb", "audit", "--data", fixture_root, "--suite", own, "--json")
    assert found.exit_code == 1
    assert not found.json["ok"]
    assert [row["check"] for row in found.json["checks"] if not row["ok"]] == ["energy left"]


def test_a_run_stops_before_it_scores(cli: Cli, fixture_root: Path, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SilenceEdit, "apply", lambda self, original, media, lender: original // 100)
    run = ["run", "--model", "additive", "--suite", own, "--data", fixture_root, "--out", "a", "--quiet"]
    found = cli(*run)
    assert found.exit_code == 1
    assert "condition 'quiet' is not what the suite says: energy left" in found.err
    assert not Path("a/predictions").exists()
    assert not Path("a/work").exists()
    blind = cli(*run, "--audit", "off", "--json")
    assert blind.exit_code == 0
    assert any(warning.startswith("not audited") for warning in blind.json["warnings"])
    assert not Path("a/audit.json").exists()


def test_a_run_keeps_what_its_audit_measured(cli: Cli, fixture_root: Path, own: Path) -> None:
    import json

    found = cli(
        "run", "--model", "additive", "--suite", own, "--data", fixture_root, "--out", "a", "--quiet", "--audit", "2"
    )
    assert found.exit_code == 0, found.err
    kept = json.loads(Path("a/audit.json").read_text(encoding="utf-8"))
    record = json.loads(Path("a/run.json").read_text(encoding="utf-8"))
    assert (kept["ok"], kept["sample"], kept["tracks"]) == (True, 2, 2)
    assert record["audit"] == {
        "sample": 2, "tracks": 2, "checks": len(kept["checks"]), "failed": 0, "cue_flagged": []
    }  # fmt: skip
    assert record["timings"]["audit_seconds"] > 0
    assert record["config"]["audit"] == {"value": 2, "source": "flag"}
    page = Path("a/report.md").read_text(encoding="utf-8")
    assert "## Audit" in page
    assert "energy left 0 RMS (0)" in page
    assert "## Cues" in page
    assert "what sound alone gives away: undefined" in found.out


@pytest.mark.parametrize("value", ["0", "-1", "some"])
def test_a_sample_that_is_none_is_refused(cli: Cli, fixture_root: Path, value: str) -> None:
    found = cli("run", "--model", "additive", "--data", fixture_root, "--audit", value)
    assert (found.exit_code, "audit = " in found.err) == (2, True)
