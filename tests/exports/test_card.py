"""Figures on model cards: as the Hub reads them, and without harm to what else a card holds."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asdbench.errors import DataError, MissingDependencyError, NotComparableError, UsageError
from asdbench.exports import card_yaml, model_index, update_card
from asdbench.report.run import Run
from tests.exports.conftest import FIXTURES, Cli

yaml = pytest.importorskip("yaml", reason="the extra hub is not installed")

CARD = """---
license: apache-2.0  # as the code
tags:
- audio
# what follows was measured
model-index:
- name: my-model
  results:
  - task:
      type: video-classification
    dataset:
      type: other-data
      name: Other data
    metrics:
    - type: accuracy
      value: 0.5

# the authors
authors: ["A", "B"]
---
# My model

---
model-index: in the text
\tand more text
"""


def other(run: Run, **changes: Any) -> Run:
    """Return a run that differs in its record."""
    record = deepcopy(dict(run.record))
    for place, value in changes.items():
        at = record
        *path, last = place.split("__")
        for key in path:
            at = at[key]
        at[last] = value
    return replace(run, record=record)


def parsed(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8").split("---\n")[1])
    return found


def test_a_result_says_what_was_measured_on_what(finished: Run) -> None:
    found = model_index([finished])
    assert found["name"] == "additive"
    (result,) = yaml.safe_load(card_yaml([found]))["model-index"][0]["results"]
    assert result["task"] == {"type": "video-classification", "name": "Active speaker detection"}
    data = result["dataset"]
    assert (data["type"], data["name"], data["config"], data["split"]) == ("data-val", "data-val", "few@1", "val")
    assert data["revision"] == finished.record["data"]["fingerprint"]
    assert data["args"]["plan_sha256"] == finished.record["identity"]["plan_sha256"]
    metrics = {each["name"]: each for each in result["metrics"]}
    ap = metrics["AP, clean (protocol ava)"]
    clean = finished.metrics["conditions"][0]
    assert ap["value"] == pytest.approx(clean["metrics"]["ava"], abs=1e-6)
    ends = clean["intervals"]["ava"]
    assert ap["args"]["interval"] == pytest.approx([ends["low"], ends["high"]], abs=1e-6)
    assert (ap["type"], ap["verified"], ap["args"]["units"]) == ("average_precision", False, 10)
    assert metrics["retention, mismatch@0.50 (protocol ava, threshold tpr:0.9)"]["args"]["threshold"] == "tpr:0.9"
    assert not any("resplice" in name for name in metrics), "a control measures nothing of the model"
    assert result["source"]["url"].startswith("https://")


def test_the_hub_reads_it(finished: Run, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub, which transformers brings, is not there")
    from huggingface_hub.repocard_data import model_index_to_eval_results

    runs = [finished, other(finished, suite__name="another")]
    path = tmp_path / "README.md"
    path.write_text(CARD)
    update_card(path, model_index(runs), keep_name=True)
    name, results = model_index_to_eval_results(parsed(path)["model-index"])
    assert name == "my-model"
    ours = [each for each in results if each.dataset_type == "data-val"]
    assert {each.dataset_config for each in ours} == {"few@1", "another@1"}
    assert {each.verified for each in ours} == {False}
    assert all(0 <= each.metric_value <= 1 for each in ours)
    card = hub.ModelCard.load(path)
    assert card.data.license == "apache-2.0"
    assert len(card.data.eval_results) == len(results)


def test_a_card_keeps_all_else(finished: Run, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(CARD)
    assert update_card(path, model_index([finished]), keep_name=True) == "updated"
    text = path.read_text()
    for kept in (
        "license: apache-2.0  # as the code\n",
        "# what follows was measured\n",
        '\n# the authors\nauthors: ["A"',
    ):
        assert kept in text
    assert text[text.index("---\n# My model") :] == CARD[CARD.index("---\n# My model") :]
    before, after = yaml.safe_load(CARD.split("---\n")[1]), parsed(path)
    assert {k: v for k, v in after.items() if k != "model-index"} == {
        k: v for k, v in before.items() if k != "model-index"
    }
    first, second = after["model-index"][0]["results"]
    assert first == before["model-index"][0]["results"][0]
    assert second["dataset"]["config"] == "few@1"


def test_the_same_run_again_replaces_its_result(finished: Run, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(CARD)
    update_card(path, model_index([finished]), keep_name=True)
    once = path.read_text()
    update_card(path, model_index([finished]), keep_name=True)
    assert path.read_text() == once
    update_card(path, model_index([other(finished, suite__name="more")]), keep_name=True)
    assert len(parsed(path)["model-index"][0]["results"]) == 3
    update_card(path, model_index([finished], "renamed"), keep_name=False)
    assert [entry["name"] for entry in parsed(path)["model-index"]] == ["my-model", "renamed"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# Only text\n",
        "\ufeff# A mark first\n",
        "---\n---\ntext",
        "---\nlicense: mit\n---",
        "---\nlicense: mit\nmodel-index: []\n---\n",
        "---\nmodel-index:\n- {name: additive, results: []}\n---\n",
        "---\r\nlicense: mit\r\n---\r\ntext\r\n",
        "a line\n---\nlicense: not front matter\n---\n",
    ],
)
def test_any_card_can_take_it(text: str, finished: Run, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_bytes(text.encode())
    update_card(path, model_index([finished]), keep_name=True)
    found = path.read_bytes().decode()
    front = yaml.safe_load(found.lstrip("\ufeff").split("---")[1])
    assert front["model-index"][0]["results"][0]["dataset"]["config"] == "few@1"
    assert ("\r\n" in text) == ("\r\n" in found)
    assert found.startswith("\ufeff") == text.startswith("\ufeff")
    rest = text.lstrip("\ufeff")
    body = rest.split("---", 2)[2] if rest.startswith("---") else rest
    assert found.endswith(body)
    assert ("license: mit" in found) == ("license: mit" in text)


def test_a_file_of_yaml_alone(finished: Run, tmp_path: Path) -> None:
    path = tmp_path / "index.yaml"
    assert update_card(path, model_index([finished]), keep_name=True) == "written"
    assert list(yaml.safe_load(path.read_text())) == ["model-index"]


@pytest.mark.parametrize(
    "text",
    ["---\n- a list\n---\n", "---\na: [b\n---\n", "---\n{license: mit}\n---\n", "---\n!!python/object:os.x {}\n---\n"],
)
def test_what_is_no_card_is_left_alone(text: str, finished: Run, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(text)
    with pytest.raises(DataError, match=r"README\.md"):
        update_card(path, model_index([finished]), keep_name=True)
    assert path.read_text() == text
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="cannot be read"):
        update_card(path, model_index([finished]), keep_name=True)
    with pytest.raises(UsageError, match="a folder"):
        update_card(tmp_path, model_index([finished]), keep_name=True)


def test_names_from_anywhere_stay_names(finished: Run, tmp_path: Path) -> None:
    hostile = "x\n---\nlicense: stolen\n'\"<script>: &a *a\u202e"
    path = tmp_path / "README.md"
    path.write_text("---\nlicense: mit\n---\ntext\n")
    update_card(path, model_index([other(finished, model__name=hostile, data__name=hostile)]), keep_name=True)
    text = path.read_text(encoding="utf-8")
    front = yaml.safe_load(text[4 : text.rindex("---\ntext")])
    assert (front["license"], front["model-index"][0]["name"]) == ("mit", hostile)
    again = model_index([other(finished, model__name=hostile)])
    update_card(path, again, keep_name=True)
    assert path.read_text(encoding="utf-8").endswith("---\ntext\n")


def test_a_card_is_of_one_model(finished: Run) -> None:
    with pytest.raises(NotComparableError, match="two models"):
        model_index([finished, other(finished, identity__model__checkpoint_sha256="0" * 64)])
    with pytest.raises(NotComparableError, match="same suite and data"):
        model_index([finished, finished])


def test_without_pyyaml(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'asdbench\[hub\]'"):
        card_yaml([model_index([finished])])


def test_on_the_command_line(cli: Cli) -> None:
    run = FIXTURES / "schema-2"
    printed = cli("export", run, "--model-index")
    assert yaml.safe_load(printed.out)["model-index"][0]["name"] == "additive"
    written = cli("export", run, "--model-index", "README.md", "--name", "org/model", "--parquet", "figures.parquet")
    assert (written.exit_code, "README.md: written" in written.err) == (0, True)
    assert parsed(Path("README.md"))["model-index"][0]["name"] == "org/model"
    assert Path("figures.parquet").is_file()
    assert cli("export", run, FIXTURES / "schema-1", "--model-index").exit_code == 3
    for wrong in (["export"], ["export", run], ["export", "--model-index"], ["export", "--model-index", run]):
        assert cli(*wrong).exit_code == 2
    assert cli("export", "nothing", "--model-index").exit_code == 5
