"""The main job on every mail server with every real client: sign in, read the list, open a message, answer it.

What else each client can do is tested in `tests/devices`, what each server answers in `tests/store`: here the
combination counts. A combination whose programs are not installed is skipped by name.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from gateway.wap import wbxml
from tests.devices.browsers import chromium
from tests.devices.browsers.chromium import Chromium
from tests.devices.browsers.text_browsers import BROWSERS, W3m
from tests.devices.checks import check_compiled_deck
from tests.devices.journey import LAST_WORDS, PASSWORD, SUBJECT, Journey
from tests.devices.phones import WmlPhone
from tests.devices.wap.kannel import Kannel
from tests.devices.wap.wsp import WspSession, transport
from tests.matrix.mail_servers import MAIL_SERVERS, MailServer
from tests.servers import dovecot as dovecots
from tests.servers.dovecot import Dovecot
from tests.servers.gateway import GatewayServer
from tests.servers.smtp import SmtpServer

pytestmark = pytest.mark.matrix

TEXT = "Grüße, 5 $ & 3 < 4"
#: Pages of the message after which the walk gives up.
PAGES = 40


@dataclass(frozen=True)
class Site:
    """A mail server with a gateway in front of it."""

    kind: MailServer
    dovecot: Dovecot
    gateway: GatewayServer


@pytest.fixture(scope="module", params=MAIL_SERVERS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    kind = MAIL_SERVERS[request.param]
    folder = tmp_path_factory.mktemp("site")
    with dovecots.running(kind.namespaces, kind.more) as dovecot:
        smtp = SmtpServer(folder, dovecot.deliver).start()
        gateway = GatewayServer(folder, dovecot, smtp, kind.tls).start()
        try:
            yield Site(kind, dovecot, gateway)
        finally:
            gateway.stop()
            smtp.stop()


def _in_a_text_browser(
    made: type[W3m], cookies: bool, site: Site, journey: Journey, folder: Path, _: pytest.FixtureRequest
) -> None:
    if shutil.which(made.program) is None:
        pytest.skip(f"NOT TESTED: {made.program} is not installed (see tests/debian-packages.txt)")
    with closing(made(folder, site.gateway.url + "/", cookies)) as browser:
        assert SUBJECT in browser.sign_in(journey.me, PASSWORD)
        page = browser.follow("Costs")
        assert "Pay $(user) now." in page
        for _page in range(PAGES):
            if LAST_WORDS in page:
                break
            page = browser.follow("Next")
        assert LAST_WORDS in page
        browser.open_reply()
        assert "Sent to" in browser.write(TEXT)


def _in_chromium(site: Site, journey: Journey, folder: Path, _: pytest.FixtureRequest) -> None:
    if chromium.BINARY is None:
        pytest.skip("NOT TESTED: chromium is not installed (see tests/debian-packages.txt)")
    with closing(Chromium(folder)) as browser:
        browser.open(site.gateway.url + "/")
        browser.type("user", journey.me)
        browser.type("password", PASSWORD)
        assert SUBJECT in browser.go(browser.key_of("Sign in"))
        page = browser.go(browser.key_of(SUBJECT))
        assert "Pay $(user) now." in page
        for _page in range(PAGES):
            if LAST_WORDS in page:
                break
            page = browser.go("#")
        assert LAST_WORDS in page
        browser.go(browser.key_of("Reply"))
        browser.type("text", TEXT)
        assert "Sent to" in browser.go(browser.key_of("Send"))


def _through_kannel(
    sdu: int | None, site: Site, journey: Journey, _: Path, request: pytest.FixtureRequest
) -> None:
    kannel: Kannel = request.getfixturevalue("kannel")
    with WspSession(kannel.host, kannel.port, agent="Nokia7110/1.0 (04.84)", sdu=sdu) as session:
        phone = WmlPhone(
            site.gateway.url,
            transport(session, wbxml.decode),
            limit=session.sdu - 4,
            check_deck=check_compiled_deck,
        )
        phone.sign_in(journey.me, PASSWORD).follow(SUBJECT)
        assert "Pay $(user) now." in phone.text
        for _page in range(PAGES):
            if LAST_WORDS in phone.text:
                break
            phone.follow("Next")
        assert LAST_WORDS in phone.text
        phone.follow("Reply").fill("text", TEXT).press("Send")
        assert "Sent to" in phone.text
        assert max(reply.pdu for reply in session.replies) <= session.sdu


Walk = Callable[[Site, Journey, Path, pytest.FixtureRequest], None]
CLIENTS: dict[str, Walk] = {
    **{
        f"{made.program} {'with' if cookies else 'without'} cookies": partial(
            _in_a_text_browser, made, cookies
        )
        for made in BROWSERS
        for cookies in (True, False)
    },
    f"chromium at {chromium.WIDTH}x{chromium.HEIGHT}": _in_chromium,
    "kannel, SDU 1400": partial(_through_kannel, None),
    "kannel, SDU 1000": partial(_through_kannel, 1000),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_message_is_read_and_answered(
    site: Site, client: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name = "-".join(client.replace(",", "").lower().split())
    journey = Journey(site.dovecot, f"{name}@example.net", f"{name}.bob@example.net", sent=site.kind.sent)
    CLIENTS[client](site, journey.prepare(), tmp_path, request)
    journey.assert_answered(TEXT)
