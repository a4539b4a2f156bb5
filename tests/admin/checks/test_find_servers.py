"""`pocketpost upstream find`: by SRV, by autoconfig, by usual names; all real, on loopback, none with a password."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.admin.checks import autoconfig, find_servers
from gateway.admin.checks.autoconfig import ListedServer
from gateway.admin.checks.find_servers import Search
from gateway.cli import main
from gateway.config import Tls, load
from gateway.errors import ConfigError
from gateway.outbound import ListedOrigins, Outbound
from tests.outbound.test_outbound import Listener, Net, answering
from tests.servers import free_ports
from tests.servers.certs import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.names import name_server
from tests.servers.scripted.peer import Caller, Peer
from tests.servers.smtp import SmtpServer

ADDRESS = "anna+x@example.org"


def server(kind: str, port: int | str, socket: str = "STARTTLS", host: str = "localhost", **more: str) -> str:
    side = "outgoing" if kind == "smtp" else "incoming"
    fields = {"hostname": host, "port": str(port), "socketType": socket, **more}
    inside = "".join(f"<{name}>{text}</{name}>" for name, text in fields.items())
    return f'<{side}Server type="{kind}">{inside}</{side}Server>'


def document(*servers: str, start: str = "") -> bytes:
    inside = f'<emailProvider id="x">{"".join(servers)}</emailProvider>'
    return f'<?xml version="1.0"?>{start}<clientConfig version="1.1">{inside}</clientConfig>'.encode()


# --- the parser


def test_a_document_is_read() -> None:
    octets = document(
        server(
            "imap",
            993,
            "SSL",
            "IMAP.example.org",
            username="%EMAILLOCALPART%",
            authentication="password-cleartext",
        ),
        server("imap", 143, "STARTTLS", "%EMAILDOMAIN%", username="x+%EMAILADDRESS%"),
        server("pop3", 995, "SSL", username="%EMAILDOMAIN%"),
        server("imap", 143, "plain"),
        server("smtp", 465, "SSL", authentication="OAuth2"),
        server("exchange", 443, "SSL"),
        server("smtp", 70000, "SSL"),
        server("smtp", 465, "SSL", "a b"),
    )
    assert autoconfig.read(octets, "example.org") == (
        ListedServer("imap", "imap.example.org", 993, Tls.IMPLICIT, "{local}"),
        ListedServer("imap", "example.org", 143, Tls.STARTTLS, "x+{address}"),
        ListedServer("pop3", "localhost", 995, Tls.IMPLICIT, ""),
        ListedServer("smtp", "localhost", 465, Tls.IMPLICIT, passwords=False),
    )
    many = document(*[server("imap", 1, "SSL")] * 100)
    assert len(autoconfig.read(many, "example.org")) == autoconfig.MOST


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
FILE = '<!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "octets",
    [b"", b"<html></html>", b"<!DOCTYPE html><html></html>", b"x" * 100_000, b"\xff\xfe<", document() + b"<",
     document(server("imap", 993, "SSL", "&b;"), start=LAUGHS), document(server("imap", 993, "SSL", "&b;"), start=FILE),
     document(server("imap", 993, "SSL"), start='<!DOCTYPE x SYSTEM "http://127.0.0.1/x">')],
)  # fmt: skip
def test_what_is_no_document_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError):
        autoconfig.read(octets, "example.org")


TEXTS = st.text(max_size=30) | st.sampled_from(
    ["%EMAILADDRESS%", "{local}", "993", "SSL", "imap", "٣", "a\x0bb"]
)


@given(st.lists(st.tuples(st.sampled_from(["imap", "smtp", "x"]), TEXTS, TEXTS, TEXTS, TEXTS), max_size=4))
@example([("imap", "a.example", "٣", "SSL", "%EMAILADDRESS%")])
def test_whatever_a_document_says_is_a_server_or_nothing(found: list[tuple[str, str, str, str, str]]) -> None:
    from xml.sax.saxutils import escape

    made = [
        server(kind, escape(port), escape(socket), escape(host), username=escape(user))
        for kind, host, port, socket, user in found
    ]
    try:
        read = autoconfig.read(document(*made), "example.org")
    except ValueError:
        return
    for one in read:
        assert 0 < one.port < 65536
        assert one.host.isascii()
        assert not set(one.host) & set(" /\"'\\@#?\n")
        assert one.login.isprintable()


@given(st.binary(max_size=400))
def test_any_octets_are_a_document_or_none(octets: bytes) -> None:
    try:
        read = autoconfig.read(octets, "example.org")
    except ValueError:
        return
    assert all(0 < one.port < 65536 for one in read)


# --- the search


@dataclass
class Provider:
    """What a search meets: SRV records, pages by URL, and a list of providers; `lines`: what it prints."""

    listener: Listener
    ca_file: Path
    lines: list[str]
    records: Mapping[str, Sequence[str]]
    pages: dict[str, bytes]
    ispdb: str = ""

    def block(self, address: str = ADDRESS) -> str:
        self.listener.received.clear()
        self.listener.script = self._page
        listed = Outbound(reach=ListedOrigins([self.ispdb] if self.ispdb else []))
        with name_server(self.records) as resolver:
            way = Net(self.listener).outbound()
            say = lambda line: self.lines.append(str(line))  # noqa: E731
            return Search(address, resolver, way, listed, self.ispdb, say, self.ca_file).block()

    def _page(self, sock: Any) -> None:
        head = self.listener.received[-1].decode()
        host, path = head.partition("Host: ")[2].partition("\r\n")[0], head.split(" ")[1]
        body = self.pages.get(host + path.partition("?")[0])
        if body is None or body.startswith(b"HTTP/1.1"):
            answering(body or b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")(sock)
        else:
            answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)(sock)


OWN, WELL_KNOWN = (
    "autoconfig.example.org/mail/config-v1.1.xml",
    "example.org/.well-known/autoconfig/mail/config-v1.1.xml",
)


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    made = Listener(tmp_path_factory.mktemp("find"), "autoconfig.example.org", "example.org", "other.example")
    yield made
    made.stop()


@pytest.fixture
def provider(
    listening: Listener,
    dovecot: Dovecot,
    smtp_server: SmtpServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Provider:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(dovecot.ca_file.read_bytes() + smtp_server.ca_file.read_bytes())
    monkeypatch.setattr(find_servers, "NAMES", dict.fromkeys(find_servers.NAMES, ()))
    return Provider(listening, ca_file, [], {}, {})


def upstream(block: str, folder: Path) -> Any:
    """Read a block as the gateway does."""
    file = folder / "pocketpost.toml"
    file.write_text(block)
    return load(file).upstreams[0]


def test_servers_are_found_by_srv_records(
    provider: Provider, dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    nobody = free_ports(1)[0]
    provider.records = {
        "_imaps._tcp.example.org": [f"0 1 {nobody} localhost.", f"1 1 {dovecot.ports['imaps']} localhost."],
        "_submissions._tcp.example.org": ["0 0 0 ."],
        "_submission._tcp.example.org": [f"0 1 {smtp_server.port} localhost."],
    }
    found = upstream(provider.block(), tmp_path)
    assert found.domains == ("example.org",)
    assert found.store.url == f"imaps://localhost:{dovecot.ports['imaps']}"
    assert found.smtp.url == f"smtp+starttls://localhost:{smtp_server.port}"
    assert found.store.ca_file == provider.ca_file
    assert provider.listener.received == []  # nobody is asked about what is known
    assert any("Connection refused" in line for line in provider.lines)
    assert any("says: " in line and "TLSv1" in line for line in provider.lines)
    assert any("the domain says that it has none" in line for line in provider.lines)


@pytest.mark.parametrize("where", [OWN, WELL_KNOWN, "redirected"])
def test_servers_are_found_by_autoconfig(
    provider: Provider, dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path, where: str
) -> None:
    servers = document(
        server("pop3", 1, "SSL"),
        server("imap", dovecot.ports["imap"], username="%EMAILLOCALPART%"),
        server("smtp", smtp_server.port, username="%EMAILLOCALPART%"),
    )
    moved = b"HTTP/1.1 301 x\r\nLocation: //other.example/conf?a=1\r\nContent-Length: 0\r\n\r\n"
    provider.pages = (
        {OWN: moved, "other.example/conf": servers} if where == "redirected" else {where: servers}
    )
    found = upstream(provider.block(), tmp_path)
    assert found.store.url == f"imap+starttls://localhost:{dovecot.ports['imap']}"
    assert (found.login, found.user(ADDRESS)) == ("local-part", "anna+x")
    assert (
        b"GET /mail/config-v1.1.xml?emailaddress=anna%2Bx@example.org HTTP/1.1"
        in provider.listener.received[0]
    )
    assert all(ADDRESS.encode() not in one for one in provider.listener.received[1:])


def test_by_the_list_of_providers(
    provider: Provider, dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    servers = document(
        server("imap", dovecot.ports["imap"], username="%EMAILADDRESS%"),
        server("smtp", smtp_server.port, username='a"b\\%EMAILLOCALPART%'),
    )

    def serve(caller: Caller) -> None:
        while caller.hear():
            pass
        caller.say(b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(servers), b"", servers)

    with Peer(serve) as peer:
        provider.ispdb = f"http://127.0.0.1:{peer.port}/v1.1/"
        found = upstream(provider.block(), tmp_path)
    assert peer.heard[0] == b"GET /v1.1/example.org HTTP/1.1"
    assert not any(b"anna" in line for line in peer.heard)
    assert found.smtp_credentials("anna@example.org", "x") == ('a"b\\anna', "x")


def test_servers_are_found_by_their_usual_names(
    provider: Provider,
    dovecot: Dovecot,
    smtp_server: SmtpServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(find_servers, "NAMES", dict.fromkeys(find_servers.NAMES, ("nowhere.", "")))
    ports = {
        "imap": ((dovecot.ports["imap"], Tls.IMPLICIT), (dovecot.ports["imap"], Tls.STARTTLS)),
        "smtp": ((smtp_server.port, Tls.STARTTLS),),
    }
    monkeypatch.setattr(find_servers, "PORTS", ports)
    found = upstream(provider.block("anna@localhost"), tmp_path)
    assert found.store.url == f"imap+starttls://localhost:{dovecot.ports['imap']}"
    assert any("does not speak TLS on this port" in line for line in provider.lines)


def test_what_is_not_verified_is_not_printed(
    provider: Provider, dovecot: Dovecot, smtp_server: SmtpServer
) -> None:
    provider.ca_file = smtp_server.ca_file
    provider.records = {
        "_imaps._tcp.example.org": [f"1 1 {dovecot.ports['imaps']} localhost."],
        "_submission._tcp.example.org": [f"0 1 {smtp_server.port} localhost."],
    }
    assert provider.block() == ""
    assert any("certificate verify failed" in line for line in provider.lines)


def test_pop3_is_printed_where_there_is_no_imap(
    provider: Provider, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    (folder := tmp_path / "pop").mkdir()
    authority = Authority(folder)
    pair = authority.issue("pop", "localhost")

    def serve(caller: Caller, until: bytes) -> None:
        while (line := caller.hear()) != until:
            caller.say(*((b"+OK", b"STLS", b"USER", b".") if line == b"CAPA" else (b"+OK",)))

    def implicit(caller: Caller) -> None:
        caller.protect(pair)
        caller.say(b"+OK pop ready")
        serve(caller, b"QUIT")

    def stls(caller: Caller) -> None:
        caller.say(b"+OK pop ready")
        serve(caller, b"STLS")
        caller.say(b"+OK go")
        caller.protect(pair)
        serve(caller, b"QUIT")

    with provider.ca_file.open("ab") as file:
        file.write(authority.ca_file.read_bytes())
    for service, kind, scheme in (("_pop3s", implicit, "pop3s"), ("_pop3", stls, "pop3+starttls")):
        with Peer(kind) as peer:
            provider.records = {
                f"{service}._tcp.example.org": [f"0 1 {peer.port} localhost."],
                "_submission._tcp.example.org": [f"0 1 {smtp_server.port} localhost."],
            }
            parsed = tomllib.loads(provider.block())["upstream"][0]
        assert parsed["pop3"] == f"{scheme}://localhost:{peer.port}"
        assert "imap" not in parsed
        assert set(peer.heard) <= {b"CAPA", b"STLS", b"QUIT"}
    assert any("says: pop ready" in line for line in provider.lines)


@pytest.mark.parametrize("said", [b"* OK IMAP4rev1", b"-ERR go away", b"+OK " + b"x" * 10_000, b""])
def test_what_is_no_pop3_is_none(provider: Provider, said: bytes) -> None:
    with Peer(lambda caller: caller.say(said)) as peer:
        provider.records = {"_pop3._tcp.example.org": [f"0 1 {peer.port} localhost."]}
        assert provider.block() == ""


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (b"<html></html>", "not a clientConfig"),
        (document(start=LAUGHS), "a document type is not expected"),
        (b"HTTP/1.1 302 x\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", "out of reach"),
        (b"HTTP/1.1 302 x\r\nLocation: /mail/config-v1.1.xml\r\nContent-Length: 0\r\n\r\n", "status 302"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b" " * 70_000, "too long"),
        (document(server("imap", 1, "SSL", authentication="OAuth2")), "take no passwords"),
    ],
)
def test_a_page_that_names_nothing_is_told(provider: Provider, page: bytes, said: str) -> None:
    provider.pages = {OWN: page}
    assert provider.block() == ""
    assert any(said in line for line in provider.lines), provider.lines


def test_no_password_is_known_to_the_search(provider: Provider, smtp_server: SmtpServer) -> None:
    heard: list[bytes] = []

    def serve(caller: Caller) -> None:
        heard.append(b"")
        caller.say(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] x")
        caller.hear_all()

    with Peer(serve) as peer:
        provider.records = {"_imap._tcp.example.org": [f"0 1 {peer.port} localhost."]}
        provider.block()
    assert heard
    assert not any(word in line.upper() for line in peer.heard for word in (b"LOGIN", b"AUTH", b"PASS"))


@pytest.mark.parametrize("address", ["example.org", "@example.org", "a@", "a@b c", ""])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ConfigError, match="an address is needed"):
        Search(address, None, Outbound(), Outbound(), "", lambda line: None)


def test_the_command_prints_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        find_servers.srv_records, "look_up", lambda *_: find_servers.srv_records.ServiceRecords()
    )
    monkeypatch.setattr(find_servers, "NAMES", dict.fromkeys(find_servers.NAMES, ()))
    monkeypatch.setattr(find_servers.Search, "_pages", [])
    found = CliRunner().invoke(main, ["upstream", "find", "you@example.invalid", "--ispdb", ""])
    assert found.exit_code == 1
    assert "no servers to read mail from and to send by were found" in found.output
    monkeypatch.setattr(find_servers.Search, "block", lambda self: "[[upstream]]\n")
    found = CliRunner().invoke(main, ["upstream", "find", "you@example.invalid"])
    assert (found.exit_code, found.stdout) == (0, "[[upstream]]\n")
    assert (
        "--ispdb"
        in CliRunner().invoke(main, ["upstream", "find", "a@b.example", "--ispdb", "ftp://x"]).output
    )
