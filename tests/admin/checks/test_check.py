"""`pocketpost check` against real servers: what it says about TLS, sign-in and a mailbox is true."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import submission
from gateway.admin.checks import check, mailbox_report, missing_capabilities
from gateway.config import Config, Server, Tls, Upstream
from gateway.store.imap import imap_store
from gateway.upstreams import certificates, deadline
from gateway.upstreams.tls import ProbeResult
from tests import rig
from tests.servers import dovecot as dovecots
from tests.servers.certs import Authority, Pair
from tests.servers.dovecot import Dovecot
from tests.servers.scripted.peer import Caller, Peer
from tests.servers.smtp import SmtpServer
from tests.store.imap.folders.test_folders import scripted, store_on
from tests.store.imap.folders.test_namespaces import CYRUS
from tests.store.script import Step

NOW = datetime.now(UTC)
#: Servers that nobody has started.
NOWHERE = Server("imap", "127.0.0.1", 1, Tls.NONE), Server("smtp", "127.0.0.1", 1, Tls.NONE)


def said(config: Config, only: Upstream | None = None) -> str:
    return "\n".join(map(str, check.report(config, datetime.now(UTC), only)))


def of(server: Server) -> str:
    """Return what is said about one server beside one that does not exist."""
    imap, smtp = NOWHERE
    other = imap if server.protocol == "smtp" else smtp
    asked = (
        Upstream(("example.net",), server, smtp)
        if other is smtp
        else Upstream(("example.net",), imap, server)
    )
    text = said(Config((asked,)))
    begins = text.index(f" {server.url}")
    ends = text.find(f" {other.url}", begins)
    return text[begins : ends if ends > 0 else None]


# --- certificates


@contextmanager
def imaps(pair: Pair) -> Iterator[Peer]:
    """A server that greets inside TLS, with a certificate of the test's own."""

    def serve(caller: Caller) -> None:
        with suppress(OSError):  # the client does not like the certificate
            caller.protect(pair)
            caller.say(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready")
            caller.hear_all()

    with Peer(serve) as peer:
        yield peer


def over_tls(peer: Peer, ca_file: Path | None) -> Server:
    return Server("imap", peer.host, peer.port, Tls.IMPLICIT, ca_file)


@pytest.mark.parametrize(
    ("names", "life", "note"),
    [
        (
            ("127.0.0.1",),
            timedelta(days=-1),
            "note the certificate expired on {expires}: it has to be renewed",
        ),
        (
            ("mail.example.org", "*.example.org"),
            timedelta(days=1),
            "note the certificate is for mail.example.org, *.example.org, not 127.0.0.1",
        ),
    ],
)
def test_the_note_fits_the_certificate(
    tmp_path: Path, names: tuple[str, ...], life: timedelta, note: str
) -> None:
    authority = Authority(tmp_path)
    with imaps(authority.issue("server", *names, life=life)) as peer:
        found = of(over_tls(peer, authority.ca_file))
    assert "FAIL" in found
    assert note.format(expires=f"{datetime.now(UTC) + life:%Y-%m-%d}") in found
    assert found.count("note") == 1


def test_an_issuer_that_is_not_known_and_a_certificate_that_signs_itself(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with imaps(authority.issue("server", "127.0.0.1")) as peer:
        found = of(over_tls(peer, None))
    assert (
        "note the issuer, Pocketpost test authority, is not known here: name its certificate in ca_file"
        in found
    )
    with imaps(Pair(tmp_path / "ca.pem", tmp_path / "ca.key")) as peer:
        found = of(over_tls(peer, None))
    assert "note the certificate is self-signed: trust it by naming it in ca_file" in found


def test_certificates_are_read_as_openssl_reads_them(tmp_path: Path, dovecot: Dovecot) -> None:
    seen = imap_store.probe(rig.imap(dovecot)).certificate
    assert (seen.subject, seen.issuer) == ("localhost", "Pocketpost test authority")
    assert seen.names == ("localhost", "127.0.0.1")
    assert seen.begins is not None
    assert seen.expires is not None
    assert seen.begins < NOW < seen.expires
    assert not seen.self_signed


@pytest.mark.parametrize(
    "octets", [b"", b"\x30", b"\x30\x82\xff\xff", b"\x30\x03\x02\x01", b"\x30\x80\x00\x00", b"x" * 99]
)
def test_what_is_no_certificate_says_nothing(octets: bytes) -> None:
    assert certificates.read(octets) == certificates.PeerCertificate()


@pytest.mark.parametrize(
    ("name", "host", "covered"),
    [
        ("mail.example.org", "MAIL.example.org", True),
        ("*.example.org", "mail.example.org", True),
        ("*.example.org", "a.mail.example.org", False),
        ("*.example.org", "example.org", False),
        ("*", "localhost", False),
        ("127.0.0.1", "127.0.0.1", True),
    ],
)
def test_names_of_a_certificate(name: str, host: str, covered: bool) -> None:
    assert certificates.PeerCertificate(names=(name,)).covers(host) is covered


# --- TLS at the wrong time


def test_starttls_at_a_tls_port_and_the_reverse_are_said(
    dovecot: Dovecot, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two of the five say nothing until this is over.
    monkeypatch.setattr(check, "CHECK_SECONDS", 1.0)
    imaps_port = replace(rig.imap(dovecot, Tls.IMPLICIT), tls=Tls.STARTTLS)
    assert f"note port {imaps_port.port} begins with TLS: use imaps://127.0.0.1:{imaps_port.port}" in of(
        imaps_port
    )
    imap_port = replace(rig.imap(dovecot), tls=Tls.IMPLICIT)
    said_of = of(imap_port)
    assert (
        f"note port {imap_port.port} begins in plain text: use imap+starttls://127.0.0.1:{imap_port.port}"
        in said_of
    )
    pop3_port = replace(rig.pop3(dovecot), tls=Tls.IMPLICIT)
    assert f"use pop3+starttls://127.0.0.1:{pop3_port.port}" in of(pop3_port)
    pop3s_port = replace(rig.pop3(dovecot, Tls.IMPLICIT), tls=Tls.STARTTLS)
    assert f"use pop3s://127.0.0.1:{pop3s_port.port}" in of(pop3s_port)
    smtp_port = replace(rig.smtp(smtp_server), tls=Tls.IMPLICIT)
    assert f"use smtp+starttls://127.0.0.1:{smtp_port.port}" in of(smtp_port)


def test_a_right_server_has_no_advice(dovecot: Dovecot, smtp_server: SmtpServer) -> None:
    pop3 = rig.pop3(dovecot), rig.pop3(dovecot, Tls.IMPLICIT)
    for server in (rig.imap(dovecot), rig.imap(dovecot, Tls.IMPLICIT), *pop3, rig.smtp(smtp_server)):
        assert "FAIL" not in of(server)
        assert "use " not in of(server)


def test_a_silent_server_is_given_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = []

    def probe(server: Server) -> ProbeResult:
        allowed.append(deadline.left(1000.0))
        return ProbeResult()

    monkeypatch.setattr(imap_store, "probe", probe)
    monkeypatch.setattr(submission, "probe", probe)
    said(Config((Upstream(("example.net",), *NOWHERE),)))
    assert len(allowed) == 2
    assert all(9 < seconds <= 10 for seconds in allowed)


# --- signing in


@pytest.mark.parametrize(
    ("names", "bad"),
    [
        (b"LOGINDISABLED", "LOGIN is disabled, and AUTH offers nothing"),
        (b"LOGINDISABLED AUTH=XOAUTH2", "LOGIN is disabled, and AUTH offers XOAUTH2"),
        (b"LOGINDISABLED AUTH=PLAIN", ""),
        (b"LOGINDISABLED AUTH=CRAM-MD5", ""),
        (b"AUTH=XOAUTH2", "takes no passwords here: AUTH offers XOAUTH2"),
        (b"AUTH=XOAUTH2 AUTH=PLAIN", ""),
    ],
)
def test_a_server_that_takes_no_passwords_is_not_ok(names: bytes, bad: str) -> None:
    def serve(caller: Caller) -> None:
        caller.say(b"* OK [CAPABILITY IMAP4rev1 " + names + b"] ready")
        caller.hear_all()

    with Peer(serve) as peer:
        found = of(rig.plain(peer))
    assert ("FAIL" in found) is bool(bad)
    assert bad in found


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((b"USER", b"UIDL", b"TOP", b"PIPELINING"), ""),
        ((b"SASL PLAIN", b"UIDL", b"TOP", b"PIPELINING"), ""),
        (
            (b"SASL XOAUTH2", b"UIDL", b"TOP"),
            "FAIL takes no passwords here: USER is not offered, and SASL offers XOAUTH2",
        ),
        ((b"SASL XOAUTH2", b"APOP", b"UIDL", b"TOP", b"PIPELINING"), ""),
        ((b"USER",), "note no UIDL: messages are known again by their headers, which takes longer"),
        (
            (b"USER", b"UIDL", b"TOP"),
            "note no PIPELINING: a list takes a round trip for each message on its page",
        ),
    ],
)
def test_what_a_pop3_server_says_of_itself(lines: tuple[bytes, ...], said: str) -> None:
    stamp = b" <1@example.net>" if b"APOP" in lines else b""

    def serve(caller: Caller) -> None:
        caller.say(b"+OK ready" + stamp)
        while True:
            caller.say(*((b"+OK", *lines, b".") if caller.hear() == b"CAPA" else (b"+OK",)))

    with Peer(serve) as peer:
        found = of(rig.plain(peer, "pop3"))
    assert said in found, found
    assert said or ("FAIL" not in found and "note no" not in found), found


def test_after_signing_in_to_a_maildrop(dovecot: Dovecot, smtp_server: SmtpServer) -> None:
    user = dovecot.user("maildrop@example.net")
    dovecot.deliver(user, b"Subject: One\r\n\r\nOne.\r\n")
    config = Config((rig.upstream(rig.pop3(dovecot), smtp_server),))
    found = "\n".join(map(str, check.sign_in(config, user, "secret")))
    assert "ok   pop3 takes the password" in found, found
    assert "ok   messages: 1" in found, found
    assert "FAIL pop3: Wrong address or password." in "\n".join(
        map(str, check.sign_in(config, user, "guess"))
    )


def test_after_signing_in_folders_namespaces_and_what_is_missing(smtp_server: SmtpServer) -> None:
    with dovecots.running(CYRUS) as server:
        with closing(store_on(server, "keeper@example.net")) as store:
            store.create("Gesendete Elemente")
            store.create("Ablage")
        known = replace(rig.imap(server), special=(("archive", "Ablage"), ("junk", "Nirgends")))
        config = Config((rig.upstream(known, smtp_server),))
        found = "\n".join(map(str, check.sign_in(config, "keeper@example.net", "secret")))
    for line in (
        'ok   sent: "INBOX.Gesendete Elemente", by its name',
        'ok   archive: "INBOX.Ablage", named in the configuration',
        'note junk: there is no folder "Nirgends", as special names it',
        "note drafts: none: it is created when something is to be kept",
        "note trash: none: what is deleted is only marked",
        'ok   own folders begin with "INBOX.", "." between names',
        'ok   shared folders have no prefix, but for INBOX, "." between names',
        "ok   smtp takes the password",
    ):
        assert line in found, found
    assert "secret" not in found


def test_special_use_is_said_to_be_one(dovecot: Dovecot) -> None:
    user = dovecot.user("marked")
    with closing(store_on(dovecot, user)) as store:
        found = "\n".join(map(str, mailbox_report.findings(store, rig.imap(dovecot))))
    assert 'ok   sent: "Sent", special-use' in found


def test_each_missing_capability_says_what_it_costs() -> None:
    rows: Step = (b"LIST", b'* LIST () "/" INBOX\r\n{tag} OK\r\n')
    with scripted(b"", rows) as (store, _script):
        found = "\n".join(map(str, mailbox_report.findings(store, Server("imap", "h", 1, Tls.NONE))))
    for names, cost in missing_capabilities.COSTS:
        assert f"note no {names[0]}: {cost}" in found
    everything = [names[-1] for names, _cost in missing_capabilities.COSTS]
    assert list(missing_capabilities.costs(everything)) == []


def test_only_the_servers_of_the_address_count(dovecot: Dovecot, smtp_server: SmtpServer) -> None:
    own = rig.upstream(dovecot, smtp_server)
    other = Upstream(("other.org",), *NOWHERE)
    config = Config((other, own))
    assert "FAIL" in said(config)
    assert "FAIL" not in said(config, own)
    assert "other.org" not in said(config, own)


# --- our own certificate


def https(pair: Pair, **more: Any) -> str:
    config = Config((), https_listen="127.0.0.1:8443", https_cert=pair.cert, https_key=pair.key, **more)
    return said(config)


def test_our_own_certificate_is_looked_at(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("good", "m.example.org", life=timedelta(days=90))
    found = https(pair, url="https://m.example.org")
    assert "ok   certificate for m.example.org, signed by Pocketpost test authority" in found
    assert "FAIL" not in found
    assert "note" not in found
    assert "FAIL the certificate is not for w.example.org" in https(pair, url="https://w.example.org")
    assert "renew it soon" in https(authority.issue("soon", "m.example.org", life=timedelta(days=5)))
    assert "FAIL expired on" in https(authority.issue("old", "m.example.org", life=timedelta(days=-1)))
    assert "self-signed" in https(Pair(tmp_path / "ca.pem", tmp_path / "ca.key"))


def test_a_key_that_is_not_the_certificates_and_a_file_that_is_none(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, other = authority.issue("one", "a.org"), authority.issue("other", "b.org")
    assert "FAIL certificate" in https(Pair(one.cert, other.key))
    one.cert.write_text("nothing")
    assert "FAIL certificate" in https(one)
