"""Downloading from a real server: right files arrive whole, anything else leaves nothing behind."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from asdbench.checkpoints.cards import ModelCard, model_cards
from asdbench.checkpoints.fetch import address_of, cache_folder, fetch, fetched_file
from asdbench.errors import CheckpointError, MissingDependencyError, ResourceError, UsageError

pytest.importorskip("pooch", reason="needs the extra fetch")

CONTENT = b"\x80\x02 weights " * 5000
PLACE = "/owner/repo/raw/c0ffee/weight/the%20file.model"
PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"


class Server:
    """Answers every request with what a test sets, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, tuple[int, bytes, dict[str, str]]] = {PLACE: (200, CONTENT, {})}
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                status, content, headers = server.answers.get(self.path, (404, PAGE, {}))
                self.send_response(status)
                for key, value in ({"Content-Length": str(len(content))} | headers).items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = Server()
    yield found
    found.close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASDBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def card(server: Server, **changes: object) -> ModelCard:
    known = {
        "name": "light-asd.test", "architecture": "light-asd", "trained_on": "x", "licence": "MIT", "paper": "p",
        "code": f"{server.address}/owner/repo", "commit": "c0ffee", "weights": "weight/the file.model",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }  # fmt: skip
    return ModelCard(**(known | changes))  # type: ignore[arg-type]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


def test_a_checkpoint_arrives_whole_and_only_once(server: Server, cache: Path):
    wanted = card(server)
    assert fetched_file(wanted) is None
    path = fetch(wanted)
    assert path == cache / "light-asd.test.model" == fetched_file(wanted)
    assert path.read_bytes() == CONTENT
    assert fetch(wanted) == path
    assert server.asked == [PLACE]
    assert files(cache) == ["light-asd.test.model"]


def test_into_another_folder(server: Server, cache: Path, tmp_path: Path):
    assert fetch(card(server), tmp_path / "new" / "here") == tmp_path / "new" / "here" / "light-asd.test.model"
    assert fetched_file(card(server)) is None
    assert files(cache) == []


def test_a_spoilt_file_of_the_cache_is_replaced_but_none_of_the_users(server: Server, cache: Path, tmp_path: Path):
    for folder in (cache, tmp_path / "mine"):
        folder.mkdir()
        (folder / "light-asd.test.model").write_bytes(b"half of")
    with pytest.raises(UsageError, match=r"exists and is not the checkpoint light-asd\.test; move it away"):
        fetch(card(server), tmp_path / "mine")
    assert (tmp_path / "mine" / "light-asd.test.model").read_bytes() == b"half of"
    assert fetch(card(server)).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, PAGE, {}), "is a web page, not a checkpoint; download the raw file behind that page"),
        ((200, b"\n\n  <html lang='en'>", {"Content-Type": "application/octet-stream"}), "is a web page"),
        ((200, b"version https://git-lfs.github.com/spec/v1\n", {}), "is a Git LFS pointer"),
        ((200, b"", {}), "is empty"),
        ((200, CONTENT[:-1], {}), "is not the checkpoint light-asd.test: its sha256 does not begin with"),
        ((200, CONTENT[:9000], {"Content-Length": str(len(CONTENT))}), "cannot be downloaded"),
        ((404, PAGE, {}), "there is no checkpoint light-asd.test at the address on its model card (404"),
        ((500, PAGE, {}), "(500"),
        ((302, b"", {"Location": "/login"}), "(404"),
        ((302, b"", {"Location": PLACE}), "cannot be downloaded (TooManyRedirects)"),
    ],
)
def test_whatever_else_is_sent_leaves_nothing_behind(server: Server, cache: Path, answer: tuple, words: str):
    server.answers[PLACE] = answer
    with pytest.raises(CheckpointError) as caught:
        fetch(card(server))
    assert words in str(caught.value)
    assert server.address in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files(cache) == []


def test_a_failure_leaves_the_file_that_was_there(server: Server, cache: Path):
    path = fetch(card(server))
    server.answers[PLACE] = (200, PAGE, {})
    with pytest.raises(CheckpointError, match="web page"):
        fetch(card(server, sha256="0" * 64))
    assert path.read_bytes() == CONTENT
    assert files(cache) == [path.name]


def test_redirects_are_followed(server: Server, cache: Path):
    server.answers |= {PLACE: (302, b"", {"Location": "/raw"}), "/raw": (200, CONTENT, {})}
    assert fetch(card(server)).read_bytes() == CONTENT


def test_without_a_network(server: Server, cache: Path):
    wanted = card(server)
    server.close()
    with pytest.raises(CheckpointError, match=r"cannot be downloaded \(ConnectionError\); check the network"):
        fetch(wanted)
    assert files(cache) == []


def test_a_folder_that_cannot_be_written(server: Server, tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match="cannot be written"):
        fetch(card(server), tmp_path / "file" / "folder")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"sha256": None}, "download weight/the file.model from http"),
        ({"commit": None, "weights": "https://drive.google.com/a"}, "download https://drive.google.com/a and give"),
        ({"commit": None, "weights": None}, "its authors offer no file"),
    ],
)
def test_what_a_card_does_not_pin_is_not_fetched(server: Server, cache: Path, changes: dict, where: str):
    with pytest.raises(CheckpointError, match=f"light-asd.test cannot be fetched: {where}"):
        fetch(card(server, **changes))
    assert server.asked == []


def test_without_pooch(server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'asdbench\[fetch\]'"):
        fetch(card(server))


@pytest.fixture
def without_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASDBENCH_CACHE", raising=False)


def test_the_cache_is_the_users_own(without_variable: None, monkeypatch: pytest.MonkeyPatch):
    folder = cache_folder()
    assert folder is not None
    assert "asdbench" in folder.parts
    monkeypatch.setitem(sys.modules, "pooch", None)
    assert cache_folder() is None
    assert fetched_file(next(card for card in model_cards() if card.commit)) is None


def test_addresses_of_the_real_cards():
    addresses = {card.name: address_of(card) for card in model_cards()}
    commit = "ed38c232de5efe0261dbd68627c0ade7cdfe14eb"
    raw = f"https://github.com/Junhua-Liao/Light-ASD/raw/{commit}/weight/pretrain_AVA_CVPR.model"
    assert addresses["light-asd.ava"] == raw
    assert {name for name, address in addresses.items() if address} == {
        f"{architecture}.{weights}" for architecture in ("light-asd", "lr-asd") for weights in ("ava", "talkset")
    }


def test_pooch_itself_says_nothing(server: Server, cache: Path, capsys: pytest.CaptureFixture[str]):
    fetch(card(server))
    assert capsys.readouterr() == ("", "")
