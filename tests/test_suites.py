"""Suites: what is shipped, and what a file may not say."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from asdbench.errors import UnknownNameError, UsageError
from asdbench.perturb import plan
from asdbench.perturb.catalogue import PERTURBATIONS, read_condition
from asdbench.perturb.edits import digest, split_media
from asdbench.resources import resource_folder
from asdbench.suites import load_suite, suite_names, suite_versions
from asdbench.types import Dataset

CLEAN = '[[condition]]\nname = "clean"\nrole = "reference"\n'
HEAD = 'name = "mine"\nversion = 3\nseed = 5\nsummary = "Mine."\n'
MINE = f"""{HEAD}
{CLEAN}
[[condition]]
name = "late"
perturbation = "misalign"
proportion = 0.5
labels = "negative"
options = {{ min_ms = 200 }}
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINE, encoding="utf-8")
    return path


def test_shipped_suites_load_and_name_known_perturbations() -> None:
    assert {"clean", "modality", "unsync"} <= set(suite_names())
    for name in suite_names():
        suite = load_suite(name)
        assert suite.name == name
        assert suite.summary.endswith(".")
        assert {c.perturbation for c in suite.conditions[1:]} <= set(PERTURBATIONS)


def test_unsync_has_its_ten_conditions_in_order() -> None:
    suite = load_suite("unsync")
    shares = ("0.25", "0.50", "0.75", "1.00")
    tests = [f"{kind}@{share}" for kind in ("mismatch", "misalign") for share in shares]
    assert [c.name for c in suite.conditions] == ["clean", "resplice@1.00", *tests]
    assert [c.proportion for c in suite.conditions[2:]] == [float(share) for share in shares] * 2
    assert [c.labels for c in suite.conditions] == ["keep", "keep", *["negative"] * 8]
    assert [c.role for c in suite.conditions] == ["reference", "control", *["test"] * 8]
    assert all(c.name.startswith(str(c.perturbation)) for c in suite.conditions[1:])
    assert (suite.label, suite.seed) == ("unsync@1", 20261120)


def test_modality_is_diagnostic_and_keeps_labels() -> None:
    conditions = load_suite("modality").conditions[1:]
    assert {c.role for c in conditions} == {"diagnostic"}
    assert {c.labels for c in conditions} == {"keep"}
    assert {c.name: dict(c.options) for c in conditions}["mismatch(track)"] == {"scope": "track"}


def test_user_file_by_path(mine: Path) -> None:
    for path in (mine, str(mine)):
        suite = load_suite(path)
        assert (suite.name, suite.version, suite.seed, suite.summary) == ("mine", 3, 5, "Mine.")
        late = suite.conditions[1]
        assert (late.perturbation, late.proportion, late.labels) == ("misalign", 0.5, "negative")
        assert (late.role, dict(late.options)) == ("test", {"min_ms": 200})


def test_hash_depends_on_content_alone(mine: Path) -> None:
    before = load_suite(mine).sha256
    mine.write_text("# a comment\n" + MINE, encoding="utf-8")
    other = mine.with_name("renamed.toml")
    shutil.copy(mine, other)
    assert load_suite(mine).sha256 == load_suite(other).sha256 == before


@pytest.mark.parametrize(
    ("old", "new"),
    [("0.5", "0.6"), ("= 3", "= 4"), ("= 5", "= 6"), ("200", "201"), ('"negative"', '"ignore"'), ("late", "later")],
)
def test_hash_changes_with_content(mine: Path, old: str, new: str) -> None:
    before = load_suite(mine).sha256
    assert MINE.count(old) == 1 or old in ("= 5", "= 3")
    mine.write_text(MINE.replace(old, new, 1), encoding="utf-8")
    assert load_suite(mine).sha256 != before


BAD = {
    "unknown key": (MINE.replace("proportion", "portion"), "portion"),
    "unknown key at the top": ("colour = 1\n" + MINE, "colour"),
    "proportion above 1": (MINE.replace("0.5", "1.5"), "proportion"),
    "proportion below 0": (MINE.replace("0.5", "-0.1"), "proportion"),
    "proportion not a number": (MINE.replace("0.5", "nan"), "proportion"),
    "proportion in words": (MINE.replace("0.5", '"half"'), "proportion"),
    "unknown label policy": (MINE.replace('"negative"', '"positive"'), "labels"),
    "name with a slash": (MINE.replace('"late"', '"../late"'), "name"),
    "version 0": (MINE.replace("= 3", "= 0"), "version"),
    "no seed": (MINE.replace("seed = 5\n", ""), "seed"),
    "duplicate names": (MINE + MINE[MINE.rindex("[[") :], "'late' stands there twice"),
    "no clean first": (MINE.replace(CLEAN, ""), "first condition must be the reference"),
    "clean is changed": (
        MINE.replace(CLEAN, CLEAN + 'perturbation = "silence"\n'),
        "first condition must be the reference",
    ),
    "clean is a test": (MINE.replace('"reference"', '"test"'), "first condition must be the reference"),
    "second reference": (MINE + 'role = "reference"\n', r'not a valid suite|"?late"?'),
    "no perturbation": (MINE.replace('perturbation = "misalign"\n', ""), "'late' needs a perturbation"),
    "no conditions": (HEAD + "condition = []\n", "condition"),
    "bad toml": (MINE + "= what\n", "not a valid suite"),
    "empty": ("", "not a valid suite"),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_files_are_refused_by_name(tmp_path: Path, fault: str) -> None:
    text, what = BAD[fault]
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=what) as caught:
        load_suite(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe\x80")
    with pytest.raises(UsageError, match=r"bad\.toml: not a valid suite"):
        load_suite(tmp_path / "bad.toml")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml: the suite cannot be read"):
        load_suite(tmp_path / "nowhere.toml")


def test_version_may_be_insisted_on() -> None:
    assert load_suite("unsync@1") == load_suite("unsync")
    with pytest.raises(UsageError, match=r"no version 9 of the suite 'unsync'; this release holds unsync@1"):
        load_suite("unsync@9")


@pytest.mark.parametrize("name", ["unsyn", "unsyn@1"])
def test_unknown_name_has_a_hint(name: str) -> None:
    with pytest.raises(UnknownNameError, match=f"no suite '{name}'; did you mean unsync"):
        load_suite(name)


@pytest.mark.parametrize("name", ["", "../suites/unsync", "unsync/"])
def test_a_name_is_not_a_path(name: str) -> None:
    with pytest.raises(UnknownNameError):
        load_suite(name)


def test_file_names_are_suite_names() -> None:
    stems = [path.stem for path in sorted(resource_folder("suites").glob("*.toml"))]
    assert [stem for stem in stems if "@" not in stem] == suite_names()


# --- what is released stays as it is -----------------------------------------------------------------------------

SHIPPED = {
    "claims@1": "6b6112e05e8d2a63bf74bc9f67e75dbecdec36bcfc7df4140388db54c296227e",
    "clean@1": "2f1aff1c5ce69ec5b9780f276f3f437b21cf3768109454dddf8ddf1fecbde9f3",
    "corruptions@1": "5f609f560975884acc021615774a9c372e509c4830bb308ea55d2ea100ffcb41",
    "egocentric@1": "1a88deb08ec5deb354b2b8becf79b30b9008d05577b2680a7f563467630a153f",
    "full@1": "9232ba7eb3cd474a389c40ad8efffe5dd2397351c6df84223631f183c18f09a3",
    "modality@1": "93efd8b4d3f22e1c8a9489ded6926129a71ca3ac2b81a747d56abaca1c65d466",
    "published-laser@1": "0828212217ddc2d334248c1e96a08baed189a0334f2dc0747d6d0b7be91cf294",
    "published-synctalknet@1": "a19e6918b2e382e6d5c7349276446c29d1d26cb2127d779e20245203cef0e672",
    "sync-curve@1": "72c65b054d6ee39090fbd0ae19d41abdc0d72d3872388eca0679e43778cc61db",
    "unsync@1": "0e0315bc89604a20865712aab6e1f6ff5755a7f6be65b97bae22c0cc861807f5",
}


def test_nobody_edits_a_suite_without_bumping_its_version() -> None:
    found = {f"{name}@{version}" for name, held in suite_versions().items() for version in held}
    assert {label: load_suite(label).sha256 for label in found} == SHIPPED


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped suites: ``mine`` in version 3."""
    folder = tmp_path / "suites"
    folder.mkdir()
    (folder / "mine.toml").write_text(MINE, encoding="utf-8")
    monkeypatch.setattr("asdbench.suites.resource_folder", lambda name: tmp_path / name)
    return folder


def test_an_older_version_stays_runnable_beside_the_newest(shelf: Path, fixture_dataset: Dataset) -> None:
    older = MINE.replace("version = 3", "version = 2").replace('"misalign"', '"misalign@1"').replace("0.5", "1.0")
    (shelf / "mine@2.toml").write_text(older, encoding="utf-8")
    assert suite_names() == ["mine"]
    assert suite_versions() == {"mine": [2, 3]}
    assert [load_suite(name).label for name in ("mine", "mine@3", "mine@2")] == ["mine@3", "mine@3", "mine@2"]
    old, new = (plan(fixture_dataset.tracks, load_suite(name))["late"] for name in ("mine@2", "mine"))
    assert all(d.changed for group in old.decisions.values() for d in group if d.eligible)
    changed = [track.key for track in fixture_dataset.tracks if new.edits(track.key)]
    assert changed
    assert {edit for key in changed for edit in new.edits(key)} <= {edit for key in changed for edit in old.edits(key)}
    with pytest.raises(UsageError, match="no version 1 of the suite 'mine'; this release holds mine@2, mine@3"):
        load_suite("mine@1")


def test_a_file_that_is_not_the_version_of_its_name_is_refused(shelf: Path) -> None:
    (shelf / "mine@2.toml").write_text(MINE, encoding="utf-8")
    with pytest.raises(UsageError, match=r"mine@2\.toml: holds mine@3, not mine@2"):
        load_suite("mine@2")


def test_pinning_version_1_leaves_a_suite_what_it_was(tmp_path: Path, fixture_dataset: Dataset) -> None:
    bare = resource_folder("suites") / "unsync.toml"
    text = bare.read_text(encoding="utf-8")
    pinned = tmp_path / "pinned.toml"
    for name in ("mismatch", "misalign", "resplice"):
        text = text.replace(f'perturbation = "{name}"', f'perturbation = "{name}@1"')
    pinned.write_text(text, encoding="utf-8")
    one, other = load_suite(bare), load_suite(pinned)
    assert other.conditions[2].perturbation == "mismatch@1"
    assert one.sha256 == other.sha256
    assert plan(fixture_dataset.tracks, one).sha256 == plan(fixture_dataset.tracks, other).sha256


# --- many conditions from few lines ------------------------------------------------------------------------------

MANY = """
[[condition]]
name = "shift@{ms:+}"
perturbation = "shift"
each = { ms = [-40, 120] }

[[condition]]
name = "misalign({min_ms})@{proportion:.2f}"
perturbation = "misalign"
options = { max_ms = 900 }
each = { min_ms = [200, 300], proportion = [0.25, 1.0] }
"""


def test_each_spreads_options_and_proportions(tmp_path: Path) -> None:
    path = tmp_path / "many.toml"
    path.write_text(HEAD + CLEAN + MANY, encoding="utf-8")
    conditions = load_suite(path).conditions
    assert [c.name for c in conditions[1:]] == [
        "shift@-40", "shift@+120",
        "misalign(200)@0.25", "misalign(200)@1.00", "misalign(300)@0.25", "misalign(300)@1.00",
    ]  # fmt: skip
    assert dict(conditions[1].options) == {"ms": -40}
    assert (dict(conditions[5].options), conditions[5].proportion) == ({"max_ms": 900, "min_ms": 300}, 0.25)
    written = tmp_path / "written.toml"
    tables = [
        f'[[condition]]\nname = "{c.name}"\nperturbation = "{c.perturbation}"\nproportion = {c.proportion}\n'
        f"options = {{ {', '.join(f'{key} = {value}' for key, value in c.options.items())} }}\n"
        for c in conditions[1:]
    ]
    written.write_text(HEAD + CLEAN + "\n".join(tables), encoding="utf-8")
    assert load_suite(written).sha256 == load_suite(path).sha256


BAD_EACH = {
    "no list": ("{ ms = 3 }", "each"),
    "an empty list": ("{ ms = [] }", "each"),
    "a list of lists": ("{ ms = [[1]] }", "each"),
    "not named": ("{ size = [1, 2] }", r"\{ms:\+\} stands for no number of each \(known: size\)"),
    "text with a sign": ('{ ms = ["a"] }', r"\{ms:\+\} stands for no number"),
    "twice": ("{ ms = [40, 40] }", r"'shift@\+40' stands there twice"),
    "too many": (f"{{ ms = {list(range(1, 60))}, scope = {['track'] * 60} }}", "more than 2000 conditions"),
}


@pytest.mark.parametrize("fault", BAD_EACH)
def test_bad_lists_are_refused_by_name(tmp_path: Path, fault: str) -> None:
    each, what = BAD_EACH[fault]
    path = tmp_path / "bad.toml"
    path.write_text(HEAD + CLEAN + MANY.replace("{ ms = [-40, 120] }", each), encoding="utf-8")
    with pytest.raises(UsageError, match=what) as caught:
        load_suite(path)
    assert str(path) in str(caught.value)


def test_a_suite_includes_others_without_their_clean_condition(tmp_path: Path, mine: Path) -> None:
    path = tmp_path / "all.toml"
    body = f'{HEAD}include = ["unsync@1", "mine.toml"]\n{CLEAN}'
    path.write_text(body, encoding="utf-8")
    names = [c.name for c in load_suite(path).conditions]
    assert names == [c.name for c in load_suite("unsync").conditions] + ["late"]
    own = '[[condition]]\nname = "late"\nperturbation = "silence"\n'
    path.write_text(body + own, encoding="utf-8")
    assert [c.perturbation for c in load_suite(path).conditions if c.name == "late"] == ["silence"]
    mine.with_name("other.toml").write_text(MINE.replace("200", "300"), encoding="utf-8")
    path.write_text(body.replace("unsync@1", "other.toml"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"all\.toml: the included suites mean different things by .*'late'"):
        load_suite(path)
    path.write_text(body.replace("unsync@1", "all.toml"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"all\.toml: includes itself"):
        load_suite(path)


# --- what the shipped suites say ---------------------------------------------------------------------------------


def test_every_shipped_condition_is_known_with_its_options() -> None:
    for name in suite_names():
        suite = load_suite(name)
        for condition in suite.conditions[1:]:
            read_condition(suite, condition)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('"misalign"', '"misaligned"', "no perturbation 'misaligned'; did you mean misalign"),
        ("min_ms = 200", "min_mss = 200", "options of 'misalign'.*min_mss"),
        ("min_ms = 200", 'min_ms = "200"', "options of 'misalign'.*float"),
        ("min_ms = 200", "min_ms = 2000", "options of 'misalign'.*min_ms"),
    ],
)
def test_unknown_perturbations_and_options_name_file_and_condition(
    mine: Path, fixture_dataset: Dataset, old: str, new: str, what: str
) -> None:
    mine.write_text(MINE.replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError, match=rf"suite .*mine\.toml, condition 'late': .*{what}"):
        plan(fixture_dataset.tracks, load_suite(mine))


def test_modality_is_the_list_of_the_method() -> None:
    names = [c.name for c in load_suite("modality").conditions]
    draws = [[f"{kind}#{draw}" for draw in range(1, 6)] for kind in ("replace_audio", "replace_both")]
    assert names == [
        "clean", "silence", "mismatch(track)", "lip_mask", "upper_mask", "face_mask", "freeze", "silence+face_mask",
        *draws[0], "replace_faces", *draws[1],
    ]  # fmt: skip


def test_coalitions_share_their_embeddings(fixture_dataset: Dataset) -> None:
    whole = plan(fixture_dataset.tracks, load_suite("modality"))
    for track in fixture_dataset.tracks:
        halves = {c.condition.name: tuple(map(digest, split_media(c.edits(track.key)))) for c in whole.conditions}
        assert all(halves[f"replace_both#{draw}"] == (halves[f"replace_audio#{draw}"][0], halves["replace_faces"][1])
                   for draw in range(1, 6))  # fmt: skip
        assert len({halves[f"replace_audio#{draw}"] for draw in range(1, 6)}) > 1
        assert halves["silence+face_mask"] == (halves["silence"][0], halves["face_mask"][1])


def test_the_curve_is_signed_fine_near_0_and_scores_only() -> None:
    suite = load_suite("sync-curve")
    offsets = [c.options["ms"] for c in suite.conditions[1:]]
    assert offsets == sorted(offsets)
    assert offsets == [-offset for offset in reversed(offsets)]
    assert (offsets[0], offsets[-1]) == (-1000, 1000)
    steps = np.diff([offset for offset in offsets if abs(offset) <= 100])
    assert set(steps) == {20, 40}  # 0 itself is the clean condition
    assert {(c.labels, c.role, c.perturbation) for c in suite.conditions[1:]} == {("keep", "diagnostic", "shift")}


def test_corruptions_are_all_those_of_the_catalogue_at_five_severities() -> None:
    suite = load_suite("corruptions")
    graded = {name for name, each in PERTURBATIONS.items() if "severity" in each.options.__struct_fields__}
    wanted = {(f"{name}@s{severity}", name, severity) for name in graded - {"noise_folder"} for severity in range(1, 6)}
    assert {(c.name, c.perturbation, c.options["severity"]) for c in suite.conditions[1:]} == wanted
    assert {(c.labels, c.role, c.proportion) for c in suite.conditions[1:]} == {("keep", "test", 1.0)}


def test_published_sets_make_changed_rows_negative() -> None:
    for name, kinds in (("published-synctalknet", 5), ("published-laser", 1)):
        conditions = load_suite(name).conditions[1:]
        assert len({c.perturbation for c in conditions}) == kinds
        assert {(c.labels, c.role) for c in conditions} == {("negative", "test")}


def test_what_claims_shares_with_other_suites_is_the_same() -> None:
    others = {c.name: c for name in ("unsync", "modality") for c in load_suite(name).conditions}
    found = load_suite("claims")
    assert found.seed == load_suite("unsync").seed == load_suite("modality").seed
    own = [c for c in found.conditions if others.get(c.name) != c]
    assert [c.name for c in own] == ["hard-1", "hard-2", "hard-3"]
    parts = [{part["perturbation"]: part["options"] for part in c.options["parts"]} for c in own]
    assert {c.labels for c in own} == {"keep"}
    assert all(part["offscreen_speech"]["snr_db"] <= 0 for part in parts)
    pixels = [part["low_resolution"]["pixels"] for part in parts]
    assert pixels == sorted(pixels, reverse=True)


def test_full_has_every_condition_of_the_others_that_measure_models_by_themselves() -> None:
    others = set(suite_names()) - {"full", "claims"}
    wanted = {c for name in others for c in map(repr, load_suite(name).conditions)}
    assert set(map(repr, load_suite("full").conditions)) == wanted
