"""The whole way through nginx, Caddy and HAProxy, set up as in deploy/: at the root and under a path."""

from __future__ import annotations

import http.client
import random
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.markup.security_headers import HSTS_SECONDS
from tests import PATIENCE
from tests.devices.journey import SUBJECT, Journey
from tests.devices.phones import Answer, WmlPhone, XhtmlBrowser
from tests.matrix import by_turns
from tests.servers.dovecot import Dovecot
from tests.servers.gateway import GatewayServer
from tests.servers.reverse_proxies import KINDS, PATH, Front, fronts, running
from tests.servers.smtp import SmtpServer
from tests.servers.toy import connect, get, received, toy

pytestmark = pytest.mark.long

#: The client's address: the proxy is at another one of loopback.
CLIENT = "127.0.0.9"
#: What an outsider claims in order to pass for somebody else.
FORGED = {
    "X-Forwarded-For": "203.0.113.7",
    "Forwarded": "for=203.0.113.8;proto=https",
    "X-Forwarded-Proto": "https",
    "X-WAP-Network-Client-IP": "203.0.113.9",
}
#: Octets of a file: more than any of them keeps in memory.
LARGE = 5_000_000
#: Each proxy, and where the gateway is behind it: at the root, under a path, under one that the proxy removes.
PLACES = [
    pytest.param("-".join(each.values), marks=each.marks)
    for each in by_turns(KINDS, ["root", "path", "removed"])
]


def from_outside(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Come from CLIENT."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        str(parts.hostname), parts.port, timeout=PATIENCE, source_address=(CLIENT, 0)
    )
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body=body or None, headers={**headers, **FORGED})
        response = connection.getresponse()
        fields = {name.lower(): value for name, value in response.getheaders()}
        cookies = [value for name, value in response.getheaders() if name.lower() == "set-cookie"]
        return Answer(response.status, fields, response.read(), url, cookies)
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Whole:
    """A gateway and the proxy in front of it, in a place below its address; `url`: what a person knows."""

    gateway: GatewayServer
    front: Front
    url: str
    name: str = ""


@pytest.fixture(scope="module")
def behind(
    dovecot: Dovecot, _smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str], Whole]]:
    """The gateways, one for each scheme and path of their address, which all proxies use in turn."""
    started: dict[tuple[str, str], Whole] = {}

    def of(scheme: str, path: str) -> Whole:
        if (scheme, path) not in started:
            front = fronts()
            host = "localhost" if scheme == "https" else "127.0.0.1"
            tls, plain = (front.path_tls, front.path) if path else (front.root_tls, front.root)
            url = f"{scheme}://{host}:{tls if scheme == 'https' else plain}{path}"
            gateway = GatewayServer(
                tmp_path_factory.mktemp("gateway"), dovecot, _smtp,
                http=f'url = "{url}"\ntrusted_proxies = ["127.0.0.1"]', tables="[log]\nrequests = true\n",
            )  # fmt: skip
            ending.callback(gateway.stop)
            started[scheme, path] = Whole(gateway.start(), front, url)
        return started[scheme, path]

    with ExitStack() as ending:
        yield of


@pytest.fixture(scope="module", params=PLACES)
def whole(
    request: pytest.FixtureRequest,
    behind: Callable[[str, str], Whole],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Whole]:
    name, _, place = request.param.partition("-")
    found = behind("http", "" if place == "root" else PATH)
    folder = tmp_path_factory.mktemp(name)
    with running(name, folder, found.front, found.gateway.port, removing=place == "removed"):
        yield replace(found, name=request.param)


def test_a_person_reads_writes_and_attaches_through_it(
    whole: Whole, dovecot: Dovecot, smtp_server: SmtpServer
) -> None:
    smtp_server.size = 2 * LARGE
    begun = len(whole.gateway.log)
    journey = Journey(dovecot, f"{whole.name}@example.net", f"{whole.name}.bob@example.net").prepare(20)
    phone = WmlPhone(whole.url, from_outside)
    phone.sign_in(journey.me, "wrong", "").sign_in(journey.me, "secret", "")
    phone.follow("Costs").follow("Reply").fill("text", "Through a proxy.").press("Send")
    journey.assert_answered("Through a proxy.")
    assert all(url.startswith(f"{whole.url}/") for url in phone.visited)
    browser = XhtmlBrowser(whole.url, from_outside)
    browser.sign_in(journey.me, "secret", "")
    assert "s" in browser.jar
    octets = random.Random(5).randbytes(LARGE)
    browser.follow("Menu").follow("Write").fill("to", journey.bob).fill("subject", "Large").fill(
        "text", "See it."
    )
    browser.press("Attach").attach("f1", "large.bin", octets).press("Attach")
    assert "large.bin" in browser.text
    assert "Too large" not in browser.text, browser.text
    browser.press("Text").press("Send")
    (mail,) = (mail for mail in journey.messages(journey.bob) if mail["Subject"] == "Large")
    (file,) = mail.iter_attachments()
    assert file.get_content() == octets
    log = whole.gateway.log[begun:]
    assert f"sign-in failed client={CLIENT} reason=AuthenticationFailed" in log
    assert f"client={CLIENT}" in log
    assert "client=203.0.113" not in log
    assert SUBJECT not in log


def test_over_tls_cookies_and_headers_say_so(whole: Whole) -> None:
    below = urlsplit(whole.url).path
    port = whole.front.path_tls if below else whole.front.root_tls
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=PATIENCE)
    try:
        connection.request("GET", f"{below}/m", headers={"X-Forwarded-Proto": "http"})
        response = connection.getresponse()
        assert response.status == 200
        # The gateway's url is http:// here: the request came to it by TLS, and HSTS is absent nevertheless.
        assert "Strict-Transport-Security" not in response.headers
        assert response.headers["X-Frame-Options"] == "DENY"
        assert f"Path={below or '/'}" in response.headers["Set-Cookie"]
    finally:
        connection.close()


@pytest.mark.parametrize(("name", "below"), by_turns(KINDS, ["", PATH]))
def test_where_the_address_for_handhelds_is_https_a_browser_is_told_once_to_stay_there(
    name: str, below: str, behind: Callable[[str, str], Whole], tmp_path: Path
) -> None:
    found = behind("https", below)
    with running(name, tmp_path, found.front, found.gateway.port):
        context = ssl._create_unverified_context()
        port = urlsplit(found.url).port
        tls = http.client.HTTPSConnection("localhost", port, context=context, timeout=PATIENCE)
        told, cookie = _asked(tls, f"{below}/m")
        assert told == [f"max-age={HSTS_SECONDS}"]
        assert cookie.startswith("__Secure-s=" if below else "__Host-s=")
        assert "Secure" in cookie
        plain = found.front.path if below else found.front.root
        told, _cookie = _asked(http.client.HTTPConnection("127.0.0.1", plain, timeout=PATIENCE), f"{below}/m")
        assert not told  # over plain HTTP it is not allowed (RFC 6797 §7.2)


def _asked(connection: http.client.HTTPConnection, target: str) -> tuple[list[str], str]:
    """Return every HSTS field of an answer, and its cookie; an outsider's X-Forwarded-Proto does not matter."""
    with closing(connection):
        connection.request("GET", target, headers={"X-Forwarded-Proto": "https"})
        response = connection.getresponse()
        assert response.status == 200
        return response.headers.get_all("Strict-Transport-Security", []), response.headers["Set-Cookie"]


def test_half_an_upload_does_nothing(whole: Whole) -> None:
    below = urlsplit(whole.url).path
    port = urlsplit(whole.url).port
    assert port is not None
    begun = len(whole.gateway.log)
    head = f"POST {below}/m HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 100000\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    for end in (b"", b"&user=proxied%40example.net&password=wrong"):
        with connect(port, CLIENT) as line:
            line.sendall(head.encode() + b"x=" * 20_000 + end)
    assert from_outside("GET", f"{whole.url}/m", {}, b"").status == 200
    assert "sign-in" not in whole.gateway.log[begun:]


@pytest.mark.parametrize("name", KINDS)
def test_a_torn_answer_is_seen_to_be_torn_and_a_slow_reader_slows_the_gateway(
    name: str, tmp_path: Path
) -> None:
    front = fronts()

    def asking(path: str, version: str = "1.1") -> bytes:
        return get(path, version).replace(b"m.example", b"127.0.0.1:%d" % front.root)  # Caddy looks at it

    with toy() as served, running(name, tmp_path, front, served.port):
        for version in ("1.0", "1.1"):
            with connect(front.root) as line:
                line.sendall(asking("/torn/200000", version))
                assert not received(line)[1]
        with connect(front.root, room=4096) as line:
            line.sendall(asking("/stream/40"))
            assert 0 < served.settled()[0] < 20_000_000
        served.until_closed(1)
