"""Every form of every screen, found on the pages themselves, with what no form should be sent.

No answer is an error of ours, none contains markup that was typed, and the gateway can always start with the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus, urljoin, urlsplit

import pytest
from lxml import etree

from gateway.admin import admin_sessions
from gateway.admin.configuring.first_run import FirstRun
from gateway.admin.configuring.one_time_code import TRIES
from gateway.admin.gateway_process import GatewayProcess
from gateway.admin.panel_pages import MENU
from gateway.config import load
from gateway.server.listeners import Listener
from tests.devices.phones import FORM

from .conftest import FILE, PASSWORD, XHTML, Administrator, parsed

PAGES = 300
LOCAL = "http://127.0.0.1:8090"
#: So that one upstream may be removed, and an override edited.
TWO = FILE + FILE[FILE.index("\n[[upstream]]") :].replace("example.org", "example.net")
TWO += '\n[[handheld]]\npattern = "Nokia3410*"\n'
HOSTILE = (
    b"a\r\nSet-Cookie: injected=1\r\n\r\n<html>",
    b"a\nb",
    b"a\x00b\x0b\x1b[2J",
    b'"\'><b id="injected">x</b><script>injected</script>&amp;&lt;]]>',
    b"../../../../../etc/hostname",
    b"..%2f..\\..",
    b"x" * 100_000,
    b"\xff\xfe\xc3(",
    b"\xed\xa0\x80\xef\xbf\xbe",
    "\u202e\u2028\u0000٣é".encode(),
    b'"\n[[upstream]]\ndomains = ["evil.example"]\n#',
    b"{{ 7 * 7 }}{% include 'style.css' %}",
    b"-1",
    b"99999999999999999999",
    b"javascript:alert(1)",
    b" ",
)


@dataclass(frozen=True)
class Form:
    """A form as on its page: where the page is, which of its forms it is, and its fields with their values."""

    page: str
    number: int
    action: str
    fields: tuple[tuple[str, str, str], ...]  # name, type, value

    @property
    def kind(self) -> tuple[object, ...]:
        """What makes another form the same one, with other values."""
        return urlsplit(self.action).path, tuple(name for name, _, _ in self.fields)


def forms(path: str, page: etree._Element) -> Iterator[Form]:
    """Yield the forms of a page that change something, once for each of their buttons."""
    for number, form in enumerate(page.iterfind(".//h:form[@method='post']", XHTML)):
        fields, buttons = [], []
        for element in form.iter(
            *(f"{{{XHTML['h']}}}{name}" for name in ("input", "textarea", "select", "button"))
        ):
            kind, name = element.get("type", "text"), element.get("name", "")
            if kind == "submit":
                buttons.append((name, kind, element.get("value", "")))
            elif name and (kind not in ("checkbox", "radio") or element.get("checked")):
                fields.append((name, kind, _value(element)))
        for button in buttons or [("", "submit", "")]:
            held = [button] if button[0] else []
            yield Form(path, number, urljoin(path, form.get("action", path)), tuple(fields + held))


def _value(element: etree._Element) -> str:
    if element.tag.endswith("textarea"):
        return (element.text or "").removeprefix("\n")
    if element.tag.endswith("select"):
        chosen = [one.get("value", "") for one in element if one.get("selected")]
        return chosen[0] if chosen else ""
    return element.get("value", "")


def walked(administrator: Administrator) -> list[Form]:
    """Follow all links from the menu on, and return each form once."""
    found: dict[tuple[object, ...], Form] = {}
    waiting, seen = [path for path, _ in MENU], set()
    while waiting and len(seen) < PAGES:
        path = waiting.pop(0)
        seen.add(path)
        answer = administrator.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        if not answer.content_type.startswith("text/html"):
            continue
        page = parsed(answer.data)
        for form in forms(path, page):
            found.setdefault((*form.kind, form.fields[-1]), form)
        links = [urljoin(path, link.get("href")) for link in page.iterfind(".//h:a", XHTML)]
        for link in links:
            here = urlsplit(link)
            plain = here._replace(fragment="").geturl()
            known = {urlsplit(one).path for one in [*seen, *waiting]} if here.query else {*seen, *waiting}
            if not here.netloc and (here.path if here.query else plain) not in known:
                waiting.append(plain)
    return [form for form in found.values() if form.action not in ("/sign-out",)]


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare the panel's password without what makes a guess expensive: it is asked for a thousand times here."""
    monkeypatch.setattr(admin_sessions.admin_password, "matches", lambda typed, phc: typed == PASSWORD)


def posted(administrator: Administrator, form: Form, change: dict[str, bytes]) -> bytes:
    """Post a form with some fields changed, as a browser encodes it; return the page that it leads to."""
    again = [one for one in forms(form.page, administrator.get(form.page)) if one.kind == form.kind]
    fields = {name: value.encode() for name, _, value in again[0].fields}
    fields |= {name: value.encode() for name, kind, value in form.fields if kind == "submit"}
    if "password" in fields:
        fields["password"] = PASSWORD.encode()
    fields |= change
    body = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields.items()).encode()
    answer = administrator.client.post(form.action, data=body, content_type=FORM)
    where = f"{form.action} with {list(change)}"
    assert answer.status_code < 500, where
    assert not any(name.lower() == "set-cookie" for name, _ in answer.headers), where
    if answer.status_code == 303:
        answer = administrator.client.get(answer.headers["Location"])
        assert answer.status_code == 200, where
    if answer.content_type.startswith("text/html"):
        page = parsed(answer.data)
        assert not page.xpath("//*[@id='injected'] | //h:script", namespaces=XHTML), where
    return answer.data


def test_whatever_is_typed_into_any_form(
    process: GatewayProcess, administrator: Administrator, cheap: None
) -> None:
    assert process.file is not None
    process.file.write_text(TWO)
    process.reload()
    found = walked(administrator)
    assert {urlsplit(form.action).path for form in found} >= {
        "/settings/http", "/settings", "/upstreams/add", "/upstreams/edit", "/upstreams/find", "/upstreams/remove",
        "/settings/tables/handheld/0", "/settings/tables/handheld/0/remove", "/settings/tables/handheld/1",
    }  # fmt: skip
    for form in found:
        names = [
            name for name, kind, _ in form.fields if kind not in ("submit", "hidden") and name != "password"
        ]
        hidden = [name for name, kind, _ in form.fields if kind == "hidden" or name == "password"]
        sweeps = [dict.fromkeys(names, value) for value in HOSTILE if names]
        sweeps += [{name: HOSTILE[at % len(HOSTILE)]} for at, name in enumerate(names)]
        sweeps += [{name: value} for name in hidden for value in HOSTILE[:9]]
        for change in sweeps:
            posted(administrator, form, change)
            administrator.forgive()
            load(process.file)
            if process.file.read_text() != TWO:
                process.file.write_text(TWO)
                process.reload()
    assert administrator.client.get("/").status_code == 200


def test_whatever_is_typed_into_the_first_run(tmp_path: Path) -> None:
    run = FirstRun(tmp_path / "pocketpost.toml", Listener("127.0.0.1", 8090), lambda: None)
    client = run.application().test_client()

    def send(path: str, fields: dict[str, bytes]) -> etree._Element:
        ticket = parsed(client.get("/", base_url=LOCAL, follow_redirects=True).data).xpath(
            "string(//*[@name='ticket']/@value)"
        )
        body = "&".join(
            f"{quote_plus(k)}={quote_plus(v)}" for k, v in {"ticket": ticket.encode(), **fields}.items()
        )
        answer = client.post(path, data=body.encode(), content_type=FORM, base_url=LOCAL)
        assert answer.status_code < 500, (path, fields)
        page = parsed(answer.data)
        assert not page.xpath("//*[@id='injected'] | //h:script", namespaces=XHTML), (path, fields)
        return page

    for value in HOSTILE[: TRIES - 1]:
        send("/sign-in", {"code": value})
    assert client.post("/sign-in", data={"code": str(run.code)}, base_url=LOCAL).status_code == 303
    for value in HOSTILE:
        send("/find", {"address": value})
        send("/find", {"ca_file": value})
    (form, *_) = forms("/find", send("/find", {"address": b"nobody"}))
    plain = {name: value.encode() for name, kind, value in form.fields if kind not in ("submit", "hidden")}
    plain |= {"domains": b"a.example", "imap": b"imap://127.0.0.1:1", "smtp": b"smtp://127.0.0.1:2"}
    for do in (b"Test", b"Save, and start the gateway"):
        sweeps = [dict.fromkeys(plain, value) for value in HOSTILE]
        sweeps += [{name: HOSTILE[at % len(HOSTILE)]} for at, name in enumerate(plain)]
        for change in sweeps:
            send("/save", plain | change | {"do": do})
    assert [*tmp_path.iterdir()] == []
