"""The gateway under a path, `url = "http://pp.example/mail"`: behind a proxy that removes it, and one that does not."""

from __future__ import annotations

import re
import shutil
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from gateway.addresses import split_root
from gateway.app import create_app
from gateway.config import load
from gateway.errors import ConfigError
from tests import rig
from tests.devices.journey import Journey
from tests.devices.phones import Answer, Transport, WmlPhone, XhtmlBrowser, in_process
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

PREFIX = "/mail"
URL = f"http://pp.example{PREFIX}"
#: Pages that a walk examines; further ones are of the same kinds.
PAGES = 60
TOKEN = "A" * 22


@pytest.fixture(params=[True, False], ids=["kept", "removed"])
def kept(request: pytest.FixtureRequest) -> bool:
    """Return whether the proxy keeps the path."""
    return bool(request.param)


@pytest.fixture
def transport(kept: bool, dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Transport]:
    """Reach the gateway as such a proxy does; nothing else on the host is ours."""
    config = rig.config(rig.upstream(dovecot, smtp_server), url=URL)
    with rig.app(config, tmp_path / "state.sqlite") as app:
        direct = in_process(app)

        def transport(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
            path = urlsplit(url).path
            assert path == PREFIX or path.startswith(f"{PREFIX}/"), f"{url} is another application's"
            seen = url if kept else url.replace(URL, "http://pp.example", 1)
            return direct(method, seen, headers, body)

        yield transport


@pytest.fixture
def journey(dovecot: Dovecot) -> Journey:
    return Journey(dovecot, "path@example.net", "path.bob@example.net").prepare(20)


@pytest.mark.parametrize(
    ("make", "more"), [(WmlPhone, {}), (XhtmlBrowser, {"cookies": True}), (XhtmlBrowser, {"cookies": False})]
)
def test_every_address_a_person_meets_is_below_the_path(
    transport: Transport, journey: Journey, make: type[WmlPhone] | type[XhtmlBrowser], more: dict[str, bool]
) -> None:
    person = make(URL, transport, **more)  # type: ignore[arg-type]
    person.sign_in(journey.me, "secret", "")
    in_url = "/~" in person.url
    assert in_url == (make is WmlPhone or not more["cookies"])
    assert person.url.startswith(f"{URL}/~" if in_url else f"{URL}/")
    ahead, seen = deque([person.url]), set()
    person.follow("Costs").follow("Reply").fill("text", "Below a path.").press("Send")
    journey.assert_answered("Below a path.")
    while ahead and len(seen) < PAGES:
        url = ahead.popleft()
        if url in seen or "/bye" in url or not url.startswith("http"):
            continue
        seen.add(url)
        headers = {"Accept": person.accept, "User-Agent": person.agent}
        if isinstance(person, XhtmlBrowser) and person.jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in person.jar.items())
        answer = transport("GET", url, headers, b"")
        if "location" in answer.headers:
            ahead.append(urljoin(url, answer.headers["location"]))
        elif answer.media_type in ("text/vnd.wap.wml", "application/xhtml+xml", "text/html"):
            assert answer.status == 200, url
            found = re.findall(r'(?:href|src|action)="([^"$#]*)"', answer.body.decode())
            ahead += [urljoin(url, href.replace("&amp;", "&")) for href in found]
    assert len(seen) == PAGES


def test_cookies_are_for_the_path_alone(transport: Transport, journey: Journey) -> None:
    browser = XhtmlBrowser(URL, transport)
    given: list[str] = []

    def watched(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = transport(method, url, headers, body)
        given.extend(answer.cookies)
        return answer

    browser.transport = watched
    browser.sign_in(journey.me, "secret", "").follow("Menu").follow("Sign out")
    assert {cookie.partition("=")[0] for cookie in given} == {"s", "d", "a"}
    for cookie in given:
        assert f"Path={PREFIX};" in f"{cookie};", cookie
    assert browser.jar.keys() == {"s", "d"}


def test_without_its_slash_the_path_leads_to_where_links_are_right(transport: Transport, kept: bool) -> None:
    # A proxy that removes the path has already turned an empty path into a slash.
    for end in ("", f"/~{TOKEN}") if kept else (f"/~{TOKEN}",):
        answer = transport("GET", URL + end, {"Accept": "text/html"}, b"")
        assert (answer.status, answer.headers["location"]) == (303, f"{URL}{end}/")
    answer = transport("GET", f"{URL}/m", {}, b"")
    assert answer.headers["x-robots-tag"] == "none"


@pytest.mark.parametrize(
    ("path", "root", "token", "rest"),
    [
        (f"{PREFIX}/i", PREFIX, "", "/i"),
        ("/i", PREFIX, "", "/i"),
        (PREFIX, PREFIX, "", ""),
        (f"{PREFIX}/~{TOKEN}/m3.77", f"{PREFIX}/~{TOKEN}", TOKEN, "/m3.77"),
        (f"/~{TOKEN}", f"{PREFIX}/~{TOKEN}", TOKEN, ""),
        (f"{PREFIX}box/i", PREFIX, "", f"{PREFIX}box/i"),
        (f"/~{TOKEN}{PREFIX}/i", f"{PREFIX}/~{TOKEN}", TOKEN, f"{PREFIX}/i"),
        ("", PREFIX, "", ""),
    ],
)
def test_the_root_of_a_path(path: str, root: str, token: str, rest: str) -> None:
    assert split_root(path, PREFIX) == (root, token, rest)


@pytest.mark.parametrize("path", ["/m", "/l", "/i", "/bye"])
def test_a_path_that_is_an_address_of_ours_is_refused(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path, path: str
) -> None:
    config = rig.config(rig.upstream(dovecot, smtp_server), url=f"http://pp.example{path}")
    taken = pytest.raises(ConfigError, match="take another path")
    with rig.sessions(config, tmp_path / "state.sqlite") as sessions, taken:
        create_app(config, sessions=sessions)


@pytest.mark.parametrize(
    ("written", "url", "origin", "path"),
    [
        ("https://Example.org/mail/", "https://example.org/mail", "https://example.org", "/mail"),
        ("http://m.example.org:8080", "http://m.example.org:8080", "http://m.example.org:8080", ""),
        ("http://m.example.org/", "http://m.example.org", "http://m.example.org", ""),
        ("https://[2001:db8::1]/a/b", "https://[2001:db8::1]/a/b", "https://[2001:db8::1]", "/a/b"),
    ],
)
def test_what_url_may_be(tmp_path: Path, written: str, url: str, origin: str, path: str) -> None:
    config = load(_file(tmp_path, written))
    assert (config.url, config.origin, config.path) == (url, origin, path)


@pytest.mark.parametrize(
    "path", ["/../x", "/.", "//x", "/a b", "/a;b", "/~anna", "/a%2fb", "/é", "/x?y", "/x#y", '/"']
)
def test_what_url_may_not_be(tmp_path: Path, path: str) -> None:
    with pytest.raises(ConfigError, match=r"\[http\] url"):
        load(_file(tmp_path, f"https://example.org{path}"))


def _file(folder: Path, url: str) -> Path:
    shutil.rmtree(folder / "state", ignore_errors=True)
    file = folder / "pocketpost.toml"
    upstream = (
        '[[upstream]]\ndomains = ["example.org"]\nimap = "imaps://a.example"\nsmtp = "smtps://a.example"\n'
    )
    file.write_text(f"[http]\nurl = '{url}'\n{upstream}")
    return file
