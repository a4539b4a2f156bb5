"""What every answer tells a browser about itself: each route, in both markups, including errors, files and refusals."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network

import pytest
from werkzeug.datastructures import Headers

from gateway.app import create_app
from gateway.markup.security_headers import HSTS_SECONDS
from tests.devices.phones import Answer
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.servers.toy import toy
from tests.web.sweeps.everything import HANDHELDS, Gateway, addresses, opened

FOR_BROWSERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
HSTS = "strict-transport-security"


@pytest.fixture(scope="module")
def gateway(
    dovecot: Dovecot, _smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    with opened(dovecot, _smtp, tmp_path_factory.mktemp("everything")) as made:
        yield made


def check(answer: Answer, markup: str) -> None:
    """Compare an answer with what all answers say; a WAP phone gets the one field that its budget counts."""
    headers = answer.headers
    kinds = {
        "text/vnd.wap.wml": "wml",
        "text/html": "xhtml",
        "text/plain": "xhtml",
        "text/css": "xhtml",
    }  # /w, /m …
    markup = kinds.get(answer.media_type, markup) if "location" not in headers else markup
    assert headers["referrer-policy"] == "no-referrer"
    assert HSTS not in headers  # over plain HTTP it is not allowed (RFC 6797 §7.2)
    file = "content-disposition" in headers
    if markup == "wml" and not file:
        more = {*FOR_BROWSERS, "content-security-policy"} & set(headers)
        assert more == ({"x-content-type-options"} if answer.media_type.startswith("image/") else set())
        return
    policy = headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert file == ("sandbox" in policy)
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert not any(word.startswith("script-src") for word in policy)
    assert {name: headers.get(name) for name in FOR_BROWSERS} == FOR_BROWSERS


@pytest.mark.parametrize("markup", HANDHELDS)
def test_every_route_says_what_a_browser_may_do_with_its_answer(gateway: Gateway, markup: str) -> None:
    session = gateway.session(markup=markup)
    statuses, files = set(), 0
    for signed_in in (None, session):
        for method in ("GET", "POST"):
            for endpoint, path in addresses(gateway, method):
                if endpoint == "signin.sign_out":
                    path += "?t=none"
                answer = gateway.ask(method, path, signed_in, markup, {"ticket": "stale"})
                check(answer, markup)
                statuses.add(answer.status)
                files += "content-disposition" in answer.headers
    assert files >= 3  # an attachment, the address book, the stored data
    assert {200, 302 if markup == "wml" else 303} <= statuses
    if markup == "xhtml":
        assert {403, 404} <= statuses


@pytest.mark.parametrize("markup", HANDHELDS)
def test_what_is_no_route_does_so_too(gateway: Gateway, markup: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session = gateway.session(markup=markup)
    for method, path in (("GET", "/nothing/here"), ("DELETE", "/i"), ("POST", "/i"), ("OPTIONS", "/i")):
        check(gateway.ask(method, path, session, markup), markup)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setitem(gateway.app.view_functions, "menu.show", broken)
    answer = gateway.ask("GET", "/k", session, markup)
    assert answer.status == (200 if markup == "wml" else 500)
    check(answer, markup)
    monkeypatch.setattr("gateway.web.request.visit.begin", broken)
    answer = gateway.ask("GET", "/i", session, markup)
    assert answer.status == 500
    check(answer, "xhtml")  # nobody knows the device yet


def asked(
    gateway: Gateway, url: str, origin: str = "https://pp.example", trusted: tuple[str, ...] = (), **more: str
) -> Headers:
    """Return the header fields of a page, requested from 127.0.0.1."""
    config = replace(gateway.config, url=url, trusted_proxies=tuple(map(ip_network, trusted)))
    client = create_app(config, sessions=gateway.sessions).test_client()
    return client.get("/m", base_url=origin, headers=HANDHELDS["xhtml"] | more).headers


def test_hsts_is_sent_over_tls_unless_plain_http_is_the_address_for_handhelds(gateway: Gateway) -> None:
    for url in ("", "https://pp.example"):
        headers = asked(gateway, url)
        assert headers[HSTS] == f"max-age={HSTS_SECONDS}"  # other hosts of the domain are not ours
        assert HSTS not in asked(gateway, url, "http://pp.example")
    assert HSTS not in asked(gateway, "http://pp.example")
    # Only a trusted proxy says what is around it.
    forged = {"X-Forwarded-Proto": "https"}
    assert HSTS not in asked(gateway, "", "http://pp.example", **forged)
    assert HSTS in asked(gateway, "", "http://pp.example", ("127.0.0.1",), **forged)


@pytest.mark.parametrize("markup", HANDHELDS)
def test_the_servers_own_refusals_say_it_too(markup: str) -> None:
    agent = "\r\n".join(f"{name}: {value}" for name, value in HANDHELDS[markup].items())
    with toy() as served:
        for path, status in (("/boom", b"500"), ("/" + "x" * 20_000, b"431")):
            with socket.create_connection(("127.0.0.1", served.port)) as line:
                line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{agent}\r\n\r\n".encode())
                line.shutdown(socket.SHUT_WR)
                first, *fields = (
                    b"".join(iter(lambda: line.recv(65_536), b"")).partition(b"\r\n\r\n")[0].split(b"\r\n")
                )
            assert first.split()[1] == status
            pairs = (field.decode().partition(": ") for field in fields)
            check(
                Answer(0, {name.lower(): value for name, _, value in pairs}, b""),
                markup if path == "/boom" else "xhtml",
            )
