"""What a real gateway logs about walks, sign-ins and errors: enough for an administrator, and nothing secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests import PATIENCE
from tests.devices.journey import Journey
from tests.devices.phones import WmlPhone, XhtmlBrowser, over_http
from tests.servers import unpacked
from tests.servers.dovecot import Dovecot
from tests.servers.gateway import GatewayServer
from tests.servers.smtp import SmtpServer

DEPLOY = Path(__file__).parents[2] / "deploy"
FILTER = "/etc/fail2ban/filter.d/pocketpost.conf"
TYPED, WRONG = "marmalade", "wr0ng-guess"
EVIL_AGENT = "Nokia7110 \x1b[2J sign-in failed client=198.51.100.9 reason=AuthenticationFailed"


@pytest.fixture(params=["text", "json"])
def served(
    request: pytest.FixtureRequest, tmp_path: Path, dovecot: Dovecot, smtp_server: SmtpServer
) -> Iterator[GatewayServer]:
    tables = f'[log]\nformat = "{request.param}"\nrequests = true\n'
    trusted = 'trusted_proxies = ["127.0.0.1"]'
    server = GatewayServer(tmp_path, dovecot, smtp_server, http=trusted, tables=tables).start()
    try:
        yield server
    finally:
        server.stop()


def session_root(person: WmlPhone | XhtmlBrowser) -> str:
    found = re.match(r"https?://[^/]+(/~[^/]+)?", person.url)
    assert found is not None
    return found[1] or ""


def test_a_walk_leaves_no_token_password_address_or_word(
    served: GatewayServer, dovecot: Dovecot, smtp_server: SmtpServer
) -> None:
    journey = Journey(dovecot, "logged@example.net", "logged.bob@example.net").prepare(20)
    phone = WmlPhone(served.url, over_http, agent=EVIL_AGENT)
    browser = XhtmlBrowser(served.url, over_http)
    secrets = {TYPED, WRONG, "secret", journey.me, journey.bob, "Sentence", "Costs"}
    for person in (phone, browser):
        person.sign_in(journey.me, WRONG)
        person.sign_in(journey.me, "secret")
        root = session_root(person)
        person.follow("Costs").follow("Reply").fill("text", TYPED).press("Send")
        person.open(f"{root}/q").fill("q", TYPED).press("Search")
        person.open(f"{root}/h1.1").open(f"{root}/k")
        if root:
            secrets.add(root.removeprefix("/~"))
    secrets |= {value for name, value in browser.jar.items() if name in ("s", "d")}
    over_http("GET", f"{served.url}/nothing%0d%0a2026-01-01T00:00:00.000Z%20WARNING?q={TYPED}", {}, b"")
    served.stop()
    said = served.log
    assert len(secrets) == 10
    for secret in secrets:
        assert secret not in said, secret
    assert "path=/~.../q " in said or '"path": "/~.../q"' in said
    for line in said.splitlines():
        assert re.match(r'(?:\{"time": ")?\d{4}-\d\d-\d\dT[\d:.]+Z[ "]', line), line
        assert line.isprintable()
    accounts = set(
        re.findall(r"Z (?:INFO|WARNING) \w{7} ([0-9a-f]{12}) |\"account\": \"([0-9a-f]{12})\"", said)
    )
    assert len(accounts) == 1


@pytest.mark.parametrize("make", [WmlPhone, XhtmlBrowser])
def test_the_code_on_an_error_page_finds_its_lines(
    served: GatewayServer, dovecot: Dovecot, make: type[WmlPhone] | type[XhtmlBrowser]
) -> None:
    journey = Journey(dovecot, "coded@example.net", "coded.bob@example.net").prepare(5)
    person = make(served.url, over_http)
    person.sign_in(journey.me, "secret")
    headers = {"User-Agent": person.agent, "Accept": person.accept}
    headers |= {"Cookie": f"s={person.jar['s']}"} if isinstance(person, XhtmlBrowser) else {}
    answer = over_http("GET", f"{served.url}{session_root(person)}/no/such/page", headers, b"")
    found = re.search(rb"<small>Error code: ([2-9a-z]{7})</small>", answer.body)
    assert found, answer.body
    served.stop()
    lines = [line for line in served.log.splitlines() if found[1].decode() in line]
    status = 200 if make is WmlPhone else 404  # a WAP gateway empties the body of an error
    assert any(f"status={status} " in line or f'"status": {status},' in line for line in lines), lines
    assert all("/no/such/page" in line for line in lines), lines


def fail2ban(folder: Path, command: str) -> str:
    """Run a program of the real fail2ban with deploy/fail2ban in its /etc; return what it prints."""
    if why := unpacked.lacking("fail2ban"):
        pytest.skip(f"NOT TESTED: {why}")
    said = folder / "fail2ban.out"
    said.unlink(missing_ok=True)
    process = unpacked.run("fail2ban", DEPLOY, f"exec {command}", said, {}, "root")
    assert process.wait(PATIENCE) == 0, said.read_text()
    return said.read_text()


def test_fail2ban_sees_each_failed_sign_in_with_its_client_and_nothing_else(
    served: GatewayServer, dovecot: Dovecot, tmp_path: Path
) -> None:
    dovecot.user("banned@example.net")
    for client in ("192.0.2.7", "2001:db8::7"):
        for user, password in (
            ("banned@example.net", WRONG),
            ("nobody@elsewhere.example", WRONG),
            ("banned@example.net", "secret"),
        ):
            headers = {"X-Forwarded-For": f"203.0.113.5, {client}"}
            XhtmlBrowser(served.url, over_http, headers=headers, agent=EVIL_AGENT).sign_in(user, password)
    forged = "\n2026-11-29T19:14:50.123Z WARNING a b gateway.access.sign_in_log: sign-in failed client=198.51.100.9"
    over_http("GET", f"{served.url}/{quote(forged)}%20reason=X", {"User-Agent": EVIL_AGENT}, b"")
    served.stop()
    log = tmp_path / "seen.log"
    log.write_text(served.log)
    seen = fail2ban(tmp_path, f"fail2ban-regex -o '<ip>' {log} {FILTER}").split()
    assert seen == ["192.0.2.7", "192.0.2.7", "2001:db8::7", "2001:db8::7"]
    # As a syslog daemon, or the journal, passes on the same lines.
    log.write_text(
        "".join(f"Nov 29 19:14:50 host pocketpost[123]: {line}\n" for line in served.log.splitlines())
    )
    assert fail2ban(tmp_path, f"fail2ban-regex -o '<ip>' {log} {FILTER}").split() == seen


def test_fail2ban_takes_the_jail(tmp_path: Path) -> None:
    debians = "/etc/fail2ban/jail.d/defaults-debian.conf"  # for sshd, which is not here
    jail = fail2ban(tmp_path, f"sh -c 'rm {debians}; fail2ban-client -t && fail2ban-client -d'")
    assert "OK: configuration test is successful" in jail
    assert "'add', 'pocketpost', 'systemd'" in jail
    assert "sign_in_log" in jail
