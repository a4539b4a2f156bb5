"""`gateway.cli`, `check` and `render_command`: what each command prints, and with which exit status."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway import __version__, cli, device, submission
from gateway.admin.checks import check
from gateway.cli import message_files
from gateway.config import Config, Server, Tls, Upstream, load
from gateway.errors import AuthenticationFailed, ConfigError, StoreTLSError, UnknownDomain
from gateway.sealed import admin_password
from gateway.state import State
from gateway.store.imap import imap_store
from gateway.upstreams import tls
from gateway.upstreams.certificates import PeerCertificate
from gateway.upstreams.tls import ProbeResult

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SAMPLE = Path(__file__).parents[2] / "gateway" / "demo" / "data"

IMAP = Server("imap", "mail.example.org", 993, Tls.IMPLICIT)
SMTP = Server("smtp", "mail.example.org", 587, Tls.STARTTLS)
CONFIG = Config((Upstream(("example.org", "example.net"), IMAP, SMTP, login="local-part"),))

FILE = """
[http]
listen = "127.0.0.1:8080"
[[upstream]]
domains = ["example.org"]
imap = "imap://127.0.0.1:{}"
smtp = "smtp://127.0.0.1:{}"
"""


def run(*arguments: str, **more: Any) -> Any:
    return CliRunner().invoke(cli.main, arguments, **more)


# --- the command itself


def test_version_and_help() -> None:
    assert run("--version").output == f"pocketpost, version {__version__}\n"
    said = run("-h").output
    for command in ("demo", "serve", "check", "config", "render"):
        assert f"  {command} " in said


def test_start_up_imports_nothing_heavy() -> None:
    heavy = [
        "flask",
        "lxml",
        "sqlalchemy",
        "cryptography",
        "h11",
        "asyncio",
        "pymap",
        "imapclient",
        "gateway.config",
    ]
    code = f"import sys, gateway.cli; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_python_m_gateway_is_the_command() -> None:
    said = subprocess.check_output([sys.executable, "-m", "gateway", "--version"], text=True)
    assert __version__ in said


def test_config_sample_is_toml() -> None:
    result = run("config", "sample")
    assert result.exit_code == 0
    assert "upstream" in tomllib.loads(result.output)


@pytest.mark.parametrize("command", ["serve", "check"])
def test_a_bad_file_is_a_sentence(tmp_path: Path, command: str) -> None:
    file = tmp_path / "p.toml"
    file.write_text('[http]\nlissten = "127.0.0.1:8080"\n')
    result = run(command, "--config", str(file))
    assert result.exit_code == 1
    assert "line 2" in result.output
    assert "Traceback" not in result.output


def test_serve_wants_a_free_address(tmp_path: Path, listening: int) -> None:
    file = tmp_path / "p.toml"
    state = f'[state]\ndatabase = "{tmp_path}/s.sqlite"\nsecret = "{tmp_path}/s"\n'
    file.write_text(FILE.format(1, 1).replace("127.0.0.1:8080", f"127.0.0.1:{listening}") + state)
    result = run("serve", "--config", str(file))
    assert result.exit_code == 1
    assert "another program listens there" in result.output
    assert [each.name for each in tmp_path.iterdir()] == ["p.toml"]


def test_demo_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("gateway.demo")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pymap", None)
    monkeypatch.setitem(sys.modules, "aiosmtpd", None)
    monkeypatch.setitem(sys.modules, "aiosmtpd.smtp", None)
    result = run("demo")
    assert result.exit_code == 1
    assert 'pip install "pocketpost[demo]"' in result.output


def test_demo_refuses_a_taken_address(listening: int) -> None:
    pytest.importorskip("pymap")
    result = run("demo", "--listen", f"127.0.0.1:{listening}")
    assert result.exit_code == 1
    assert "another program listens there" in result.output


@pytest.fixture
def listening() -> Iterator[int]:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


# --- check


def seen(**more: Any) -> ProbeResult:
    shown = PeerCertificate("mail.example.org", "R3", ("mail.example.org",), NOW + timedelta(days=60))
    values = {
        "addresses": ("192.0.2.1",),
        "connected": True,
        "tls_version": "TLSv1.3",
        "certificate": shown,
        "greeting": "OK ready",
        "capabilities": ("IMAP4REV1", "MOVE"),
        "mechanisms": ("PLAIN",),
        "size_limit": 10_000_000,
        **more,
    }
    return ProbeResult(**values)


def findings(monkeypatch: pytest.MonkeyPatch, first: ProbeResult, second: ProbeResult) -> str:
    monkeypatch.setattr(imap_store, "probe", lambda server: first)
    monkeypatch.setattr(submission, "probe", lambda server: second)
    return "\n".join(map(str, check.report(CONFIG, NOW)))


def test_a_good_pair_of_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    said = findings(monkeypatch, seen(), seen(capabilities=("SIZE", "STARTTLS")))
    assert "FAIL" not in said
    assert "note" not in said
    for words in (
        "upstream for example.org, example.net",
        "imaps://mail.example.org:993",
        "smtp+starttls://mail.example.org:587",
        "resolves to 192.0.2.1",
        "TLSv1.3, certificate for mail.example.org, signed by R3",
        "valid until 2030-03-02, 60 days from now",
        "says: OK ready",
        "capabilities: IMAP4REV1 MOVE",
        "AUTH offers PLAIN",
        "10,000,000 octets",
    ):
        assert words in said


def test_what_an_administrator_must_act_on(monkeypatch: pytest.MonkeyPatch) -> None:
    soon = PeerCertificate("m", "R3", ("m",), NOW + timedelta(days=5))
    itself = PeerCertificate("m", "m", ("mail.example.org",), NOW + timedelta(days=9), NOW, self_signed=True)
    failed = StoreTLSError("certificate verify failed: self-signed")
    broken = seen(failure=failed, tls_version="", certificate=itself)
    monkeypatch.setattr(tls, "begins_in_plain_text", lambda server: False)
    said = findings(monkeypatch, broken, seen(certificate=soon, mechanisms=(), size_limit=None))
    assert "FAIL certificate verify failed: self-signed" in said
    assert "ca_file" in said
    assert "note valid until 2030-01-06, 5 days from now: renew it soon" in said
    assert "FAIL AUTH offers nothing: the gateway needs PLAIN, LOGIN or CRAM-MD5" in said
    assert "SIZE" in said
    late = seen(tls_version="", certificate=PeerCertificate(), mechanisms=(), capabilities=("STARTTLS",))
    said = findings(monkeypatch, seen(), late)
    assert "FAIL AUTH is offered only after STARTTLS: use smtp+starttls://" in said


def test_plain_text_and_unverified_are_remarked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    said = findings(
        monkeypatch, seen(tls_version="", certificate=PeerCertificate()), seen(certificate=PeerCertificate())
    )
    assert "plain text: passwords cross this connection unprotected" in said
    assert "certificate not verified (insecure = true)" in said


def test_sign_in_says_which_server_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Store:
        namespaces = ()
        capabilities: frozenset[str] = frozenset()

        def special_mailboxes(self) -> dict[str, Any]:
            return {}

        def close(self) -> None:
            asked.append("closed")

    def connect(server: Server, user: str, password: str) -> Store:
        asked.append((user, password))
        return Store()

    def refuse(server: Server, user: str, password: str) -> None:
        raise AuthenticationFailed("NO said the server")

    monkeypatch.setattr(imap_store, "connect", connect)
    monkeypatch.setattr(submission, "sign_in", refuse)
    said = "\n".join(map(str, check.sign_in(CONFIG, "ada@example.net", "geheim")))
    assert asked == [("ada", "geheim"), "closed"]
    assert "ok   imap takes the password" in said
    assert "FAIL smtp: Wrong address or password. (NO said the server)" in said
    assert "geheim" not in said


def test_an_address_nobody_serves_is_an_error() -> None:
    with pytest.raises(
        UnknownDomain, match=r"x@other\.org; the configuration names example\.org, example\.net"
    ):
        check.upstream_of(CONFIG, "x@other.org")


def test_check_against_the_demo(tmp_path: Path) -> None:
    pytest.importorskip("pymap")
    from gateway.demo.main import running

    file = tmp_path / "p.toml"
    with running("127.0.0.1:1", "127.0.0.1:2") as demo_file:
        config = load(demo_file)
        ports = (config.upstreams[0].store.port, config.upstreams[0].smtp.port)
        file.write_text(FILE.format(*ports).replace("example.org", "pocketpost.example"))
        plain = run("check", "--config", str(file))
        right = run("check", "--config", str(file), "alice@pocketpost.example", input="tap\n")
        wrong = run("check", "--config", str(file), "alice", input="top\n")
        other = run("check", "--config", str(file), "alice@gmail.com", input="tap\n")
    assert plain.exit_code == 0, plain.output
    assert "AUTH offers LOGIN PLAIN" in plain.output
    assert right.exit_code == 0, right.output
    assert "smtp takes the password" in right.output
    assert wrong.exit_code == 1
    assert wrong.output.count("  FAIL ") == 2
    assert other.exit_code == 1
    assert "no upstream serves alice@gmail.com" in other.output
    gone = run("check", "--config", str(file))
    assert gone.exit_code == 1
    assert gone.output.count("  FAIL ") == 2


# --- render


@dataclass
class FakePage:
    octets: bytes
    compiled: int | None = None


def pages_of(octets: bytes) -> tuple[Iterable[FakePage], tuple[str, ...]]:
    if octets == b"boom":
        raise ValueError("never happens")
    return (FakePage(b"<%d %b>\n" % (n, octets), n) for n in (1, 2)), ("date: missing",)


def test_files_and_index(tmp_path: Path) -> None:
    for folder, text in (("a", b"one"), ("b", b"two"), ("c", b"boom")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.eml").write_bytes(text)
    files = [*(tmp_path / folder / "same.eml" for folder in "abc"), tmp_path / "none.eml"]
    out, progress = tmp_path / "out" / "deep", io.StringIO()
    assert message_files.to_folder(files, pages_of, "wml", out, progress) == 2
    rows = json.loads((out / "index.json").read_text())
    assert [row["folder"] for row in rows] == ["same.eml", "same.eml-2", "same.eml-3", "none.eml"]
    assert rows[1] == {
        "file": str(files[1]),
        "folder": "same.eml-2",
        "pages": 2,
        "octets": [8, 8],
        "compiled": [1, 2],
        "defects": ["date: missing"],
        "error": None,
    }
    assert rows[2]["error"] == "ValueError: never happens"
    assert (out / "same.eml-2" / "002.wml").read_bytes() == b"<2 two>\n"
    assert "never happens" in progress.getvalue()


def test_progress_is_said_over_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_files, "PROGRESS_EVERY", 2)
    file, progress = tmp_path / "m.eml", io.StringIO()
    file.write_bytes(b"x")
    message_files.to_folder([file] * 5, pages_of, "wml", tmp_path / "out", progress)
    assert progress.getvalue() == "2 files\n4 files\n"


def test_an_unknown_device_lists_the_known_ones() -> None:
    result = run("render", "--device", "nokia9999", "x.eml")
    assert result.exit_code == 1
    assert "no device 'nokia9999'; there are: nokia7110, " in result.output
    with pytest.raises(ConfigError, match=device.names()[-1]):
        message_files.device("x", None)


def test_render_prints_a_page_or_all() -> None:
    letter = str(SAMPLE / "letter.eml")
    first, second = run("render", letter), run("render", "--page", "2", letter)
    everything = run("render", "--all", letter)
    assert first.output.startswith("<?xml")
    assert first.output.count("<wml>") == second.output.count("<wml>") == 1
    assert everything.output.startswith(first.output + second.output)
    late = run("render", "--page", "99", letter)
    assert late.exit_code == 1
    assert "no page 99" in late.output
    assert run("render", "no-such.eml").exit_code == 1


@pytest.mark.parametrize(
    ("name", "suffix", "limit"), [("nokia7110", "wml", 1396), ("xhtml", "xhtml", 10_000)]
)
def test_the_sample_fits_every_budget(tmp_path: Path, name: str, suffix: str, limit: int) -> None:
    files = sorted(map(str, SAMPLE.glob("*.eml")))
    result = run("render", "--device", name, "--out", str(tmp_path), *files)
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "index.json").read_text())
    assert len(rows) == len(files)
    for row in rows:
        assert row["error"] is None
        assert row["defects"] == []
        assert 1 <= row["pages"] == len(list((tmp_path / row["folder"]).iterdir())) == len(row["octets"])
        assert (tmp_path / row["folder"] / f"001.{suffix}").stat().st_size == row["octets"][0]
        assert max(row["compiled"] if suffix == "wml" else row["octets"]) <= limit
    assert max(row["pages"] for row in rows if "letter" in row["file"]) >= (5 if suffix == "wml" else 1)


def test_markup_can_be_chosen(tmp_path: Path) -> None:
    result = run("render", "--markup", "xhtml", "--out", str(tmp_path), str(SAMPLE / "lunch.eml"))
    assert result.exit_code == 0
    assert (tmp_path / "lunch.eml" / "001.xhtml").exists()
    assert json.loads((tmp_path / "index.json").read_text())[0]["compiled"] is None


def test_the_password_of_the_panel_is_set_and_removed(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(FILE.format(1, 2))
    short = run("admin", "password", "--config", str(file), input="short\n")
    assert short.exit_code == 1
    assert "12 characters or more" in short.output
    chosen = "long enough for it"
    assert run("admin", "password", "--config", str(file), input=f"{chosen}\n").exit_code == 0
    with State.open(load(file).state) as state:
        assert admin_password.matches(chosen, state.administration.password_hash())
        assert [line.action for _, line in state.administration.audit()] == ["password set"]
        assert run("admin", "password", "--remove", "--config", str(file)).exit_code == 0
        assert not state.administration.password_hash()
