"""Two scripted handhelds, strict where real ones are: a WAP 1.x phone and a small XHTML browser.

The phone keeps no cookies, and refuses a deck that is not valid WML 1.1 or that compiles to more than its limit, or an
address over 100 octets; it has variables and a history like a real one. Transport is a callable, so the same phone
talks to a WSGI app in process or to a server over HTTP.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urljoin, urlsplit

from lxml import etree

from tests import PATIENCE

URL_LIMIT = 100
ORIGIN_LIMIT = 25


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    url: str = ""
    cookies: list[str] = field(default_factory=list)

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str:
        match = re.search(r"charset=([\w-]+)", self.headers.get("content-type", ""))
        return match[1].lower() if match else ""


#: method, absolute URL, headers, body -> Answer
Transport = Callable[[str, str, Mapping[str, str], bytes], Answer]


def over_http(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Talk to a real server on loopback."""
    parts = urlsplit(url)
    assert parts.hostname in ("127.0.0.1", "localhost")
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=PATIENCE)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body=body or None, headers=dict(headers))
        response = connection.getresponse()
        found = response.read()
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            found,
            url,
            [value for name, value in response.getheaders() if name.lower() == "set-cookie"],
        )
    finally:
        connection.close()


def in_process(app: Any) -> Transport:
    """Talk to a WSGI app without a server."""
    from werkzeug.test import Client

    client = Client(app, use_cookies=False)

    def transport(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = urlsplit(url)
        answer = client.open(
            parts.path or "/",
            base_url=f"{parts.scheme}://{parts.netloc}",
            query_string=parts.query,
            method=method,
            headers=dict(headers),
            data=body,
        )
        return Answer(
            answer.status_code,
            {name.lower(): value for name, value in answer.headers.items()},
            answer.get_data(),
            url,
            answer.headers.getlist("Set-Cookie"),
        )

    return transport


class Refused(AssertionError):
    """What a real phone would not have shown."""


def _encode(fields: list[tuple[str, str]], charset: str) -> bytes:
    pairs = [(name.encode(charset, "replace"), value.encode(charset, "replace")) for name, value in fields]
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs).encode("ascii")


FORM = "application/x-www-form-urlencoded"


def _multipart(
    fields: list[tuple[str, str]], files: list[tuple[str, str, bytes]], charset: str
) -> tuple[bytes, str]:
    """Encode a form as browsers do (HTML Living Standard §4.10.21.8); return it with its type."""
    mark = "----PocketpostTestBoundary7MA4YWxk"
    out = b""
    for name, value in fields:
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        out += head.encode(charset) + value.encode(charset, "replace") + b"\r\n"
    for name, filename, octets in files:
        shown = filename.replace('"', "%22")
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{shown}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        out += head.encode(charset, "replace") + octets + b"\r\n"
    return out + f"--{mark}--\r\n".encode(), f"multipart/form-data; boundary={mark}"


class WmlPhone:
    """A Nokia 7110 as strict as possible. `check_deck` sees every deck (text) and raises if it is bad."""

    accept = "application/vnd.wap.wmlc, image/vnd.wap.wbmp, text/plain, text/vnd.wap.wml"

    def __init__(
        self,
        origin: str,
        transport: Transport,
        *,
        agent: str = "Nokia7110/1.0 (04.84)",
        limit: int = 1396,
        charset: str = "utf-8",
        check_deck: Callable[[bytes, int], None] = lambda deck, limit: None,
        headers: Mapping[str, str] | None = None,
        back: str = "Back",
    ) -> None:
        self.back_label = back
        assert len(origin) <= ORIGIN_LIMIT, origin
        self.origin, self.transport, self.limit, self.charset = origin, transport, limit, charset
        self.extra = dict(headers or {})
        self.agent, self.check_deck = agent, check_deck
        self.variables: dict[str, str] = {}
        self.history: list[str] = []
        self.url = origin + "/"
        self.answer: Answer | None = None
        self.visited: list[str] = []

    # -- the network ---------------------------------------------------------------------------------------
    def fetch(self, method: str, url: str, body: bytes = b"") -> None:
        for _hop in range(5):
            if len(url) > URL_LIMIT:
                raise Refused(f"address of {len(url)} octets: {url}")
            headers = {"Accept": self.accept, "User-Agent": self.agent, **self.extra}
            if not self.agent:
                del headers["User-Agent"]
            if method == "POST":
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            answer = self.transport(method, url, headers, body)
            self.visited.append(url)
            if answer.status in (301, 302, 303):
                url, method, body = urljoin(url, answer.headers["location"]), "GET", b""
                continue
            self.url = url
            self._take(answer)
            return
        raise Refused("redirected too often")

    def _take(self, answer: Answer) -> None:
        if answer.status != 200:
            raise Refused(f"status {answer.status}: a WAP gateway empties the body")
        if answer.media_type != "text/vnd.wap.wml":
            raise Refused(f"type {answer.headers.get('content-type')}")
        if answer.cookies:
            raise Refused("a cookie for a WML phone")
        if int(answer.headers["content-length"]) != len(answer.body):
            raise Refused("Content-Length is wrong")
        declared = re.match(rb'<\?xml version="1.0" encoding="([\w-]+)"\?>', answer.body)
        if not declared or declared[1].decode().lower() != answer.charset:
            raise Refused(f"charset declared differently: {answer.headers.get('content-type')}")
        self.check_deck(answer.body, self.limit)
        self.answer = answer
        self.deck = etree.fromstring(answer.body, etree.XMLParser(resolve_entities=False, no_network=True))
        self.card = self.deck.find("card")
        if self.card.get("newcontext") == "true":
            self.variables.clear()
            self.history.clear()
        self._check_card()
        self.history.append(self.url)
        for field_ in self.card.iter("input"):
            # An existing variable takes precedence over the input's value (WAP-191 §11.6.3).
            self.variables.setdefault(field_.get("name"), self._plain(field_.get("value", "")))
        for select in self.card.iter("select"):
            if select.get("multiple") == "true":
                self.variables.setdefault(select.get("name"), self._plain(select.get("value", "")))
                continue
            first = select.find("option").get("value", "")
            self.variables.setdefault(select.get("name"), self._plain(select.get("value", first)))

    def _check_card(self) -> None:
        for card in self.deck.iter("card"):
            names = [do.get("name") or do.get("type") for do in card.findall("do")]
            if len(names) != len(set(names)):
                raise Refused(f"two do elements of one name: {names}")
            back = [do for do in card.findall("do") if do.get("type") == "prev"]
            if not back or back[0].find("prev") is None or back[0].get("label") != self.back_label:
                raise Refused("no way back")
            for do in card.findall("do"):
                if len(do.get("label", "")) > 8:
                    raise Refused(f"softkey label too long: {do.get('label')}")
        for element in self.deck.iter("a", "go", "img"):
            href = element.get("href") or element.get("src") or ""
            if urljoin(self.url, href).startswith(self.origin) and len(urljoin(self.url, href)) > URL_LIMIT:
                raise Refused(f"link over {URL_LIMIT} octets: {href}")
        for text in self.deck.itertext():
            self._plain(text)

    def _plain(self, text: str) -> str:
        """Substitute variables as WAP-191 §10.3 says."""

        def value(match: re.Match[str]) -> str:
            if match[0] == "$$":
                return "$"
            name = match[1] or match[2]
            if name is None:
                raise Refused(f"lone dollar in {text!r}")
            return self.variables.get(name.partition(":")[0], "")

        return re.sub(r"\$\$|\$\(([^)]*)\)|\$([A-Za-z_]\w*)|\$", value, text)

    # -- what a person sees and presses --------------------------------------------------------------------
    @property
    def title(self) -> str:
        return self._plain(self.card.get("title", ""))

    @property
    def text(self) -> str:
        """The words of the card, without softkeys."""
        out = []
        for paragraph in self.card.findall("p"):
            out.append("".join(self._words(paragraph)))
        return "\n".join(out)

    def _words(self, element: Any) -> list[str]:
        if element.tag in ("go", "input"):
            return [self._plain(element.tail or "")]
        words = ["\n"] if element.tag == "br" else []
        words.append(self._plain(element.text or ""))
        for child in element:
            words.extend(self._words(child))
        if element.getparent() is not None and element.tag != "p":
            words.append(self._plain(element.tail or ""))
        return words

    @property
    def links(self) -> dict[str, str]:
        """Label of every link -> href; the first link with a label wins."""
        found: dict[str, str] = {}
        for element in self.card.iter("a"):
            found.setdefault(
                self._plain("".join(element.itertext())).strip(), self._plain(element.get("href"))
            )
        return found

    def open(self, path: str = "/") -> WmlPhone:
        self.fetch("GET", urljoin(self.origin + "/", path))
        return self

    def follow(self, label: str) -> WmlPhone:
        """Follow the link whose label is, or contains, `label`."""
        for exact in (True, False):
            for name, href in self.links.items():
                if name == label or (not exact and label in name):
                    self.fetch("GET", urljoin(self.url, href))
                    return self
        raise Refused(f"no link {label!r} among {list(self.links)}")

    def fill(self, field_name: str, value: str) -> WmlPhone:
        """Type into the input whose value a postfield sends as `field_name`."""
        for go in self.card.iter("go"):
            for postfield in go.findall("postfield"):
                match = re.fullmatch(r"\$\((\w+)\)", postfield.get("value", ""))
                if postfield.get("name") == field_name and match:
                    if len(value) > self.room(field_name):
                        raise Refused(f"more than {self.room(field_name)} characters in {field_name!r}")
                    self.variables[match[1]] = value
                    return self
        raise Refused(f"no field {field_name!r}")

    def room(self, field_name: str) -> int:
        """Return how many characters a field takes."""
        names = {f.get("value", "")[2:-1] for f in self.card.iter("postfield") if f.get("name") == field_name}
        limits = [f.get("maxlength") for f in self.card.iter("input") if f.get("name") in names]
        return int(next((limit for limit in limits if limit), 10_000))

    def tick(self, *labels: str) -> WmlPhone:
        """Choose these in a multiple select, whose values are joined with `;` (WAP-191 §11.6.2.1)."""
        for select in self.card.iter("select"):
            if select.get("multiple") == "true":
                values = [
                    self._plain(option.get("value"))
                    for label in labels
                    for option in select.iter("option")
                    if label in self._plain(option.text or "")
                ]
                assert len(values) == len(labels), labels
                self.variables[select.get("name")] = ";".join(values)
                return self
        raise Refused("no multiple select")

    def press(self, label: str) -> WmlPhone:
        """Press the softkey, or the anchor, with this label."""
        for element in [*self.card.findall("do"), *self.card.iter("anchor")]:
            name = element.get("label") or self._plain(element.text or "").strip()
            if name != label:
                continue
            go = element.find("go")
            if go is None:
                return self.back()
            url = urljoin(self.url, self._plain(go.get("href")))
            if go.get("method") == "post":
                fields = [(f.get("name"), self._plain(f.get("value"))) for f in go.findall("postfield")]
                self.posted = (url, _encode(fields, self.charset))
                self.fetch("POST", *self.posted)
            else:
                self.fetch("GET", url)
            return self
        raise Refused(f"no key {label!r}")

    def back(self) -> WmlPhone:
        """Press the back key: the previous page, without its variables being reset."""
        if len(self.history) < 2:
            raise Refused("nothing to go back to")
        self.history.pop()
        self.fetch("GET", self.history.pop())
        return self

    def sign_in(self, user: str, password: str, path: str = "/") -> WmlPhone:
        return self.open(path).fill("user", user).fill("password", password).press("Sign in")


def label_of(element: Any) -> str:
    """Return the words of a link; for a row of two lines, the sender of the mail and its subject."""
    if element.find("br") is None:
        return "".join((*element.itertext(), *(img.get("alt") for img in element.iter("img")))).strip()
    pieces = [element.text or ""]
    for child in element:
        if child.tag == "br":
            pieces = ["".join(pieces).strip(" !"), ": "]
        elif child.get("class") not in ("k", "h", "d"):
            pieces += child.itertext()
        pieces.append(child.tail or "")
    return re.sub(r"\s+", " ", "".join(pieces)).strip()


class XhtmlBrowser:
    """A small browser: XHTML by an XML parser, forms, optionally cookies; no script."""

    def __init__(
        self,
        origin: str,
        transport: Transport,
        *,
        cookies: bool = True,
        agent: str = "Mozilla/5.0 (Mobile; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
        accept: str = "application/xhtml+xml,text/html;q=0.9,*/*;q=0.1",
        limit: int = 10_000,
        charset: str = "utf-8",
        check_page: Callable[[bytes, int], None] = lambda page, limit: None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.origin, self.transport, self.limit, self.charset = origin, transport, limit, charset
        self.extra = dict(headers or {})
        self.agent, self.accept, self.keeps, self.check_page = agent, accept, cookies, check_page
        self.jar: dict[str, str] = {}
        self.url = origin + "/"
        self.filled: dict[str, str] = {}
        self.files: list[tuple[str, str, bytes]] = []
        self.visited: list[str] = []
        self.answer: Answer | None = None

    def fetch(self, method: str, url: str, body: bytes = b"", kind: str = FORM) -> None:
        for _hop in range(5):
            if len(url) > URL_LIMIT:
                raise Refused(f"address of {len(url)} octets: {url}")
            headers = {"Accept": self.accept, "User-Agent": self.agent, **self.extra}
            if self.jar:
                headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
            if method == "POST":
                headers["Content-Type"] = kind
            answer = self.transport(method, url, headers, body)
            self.visited.append(url)
            self._keep(answer)
            if answer.status in (301, 302, 303):
                url, method, body = urljoin(url, answer.headers["location"]), "GET", b""
                continue
            self.url, self.answer, self.filled, self.files = url, answer, {}, []
            self._take(answer)
            return
        raise Refused("redirected too often")

    def _keep(self, answer: Answer) -> None:
        if not self.keeps:
            return
        for cookie in answer.cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            if value and "max-age=0" not in cookie.lower():
                self.jar[name] = value
            else:
                self.jar.pop(name, None)

    def _take(self, answer: Answer) -> None:
        if len(answer.body) > self.limit:
            raise Refused(f"page of {len(answer.body)} octets")
        if int(answer.headers["content-length"]) != len(answer.body):
            raise Refused("Content-Length is wrong")
        if b"<script" in answer.body.lower():
            raise Refused("script")
        self.check_page(answer.body, self.limit)
        root = etree.fromstring(answer.body, etree.XMLParser(resolve_entities=False, no_network=True))
        if answer.media_type not in ("application/xhtml+xml", "text/html"):
            raise Refused(f"type {answer.media_type}")
        for element in root.iter():
            if isinstance(element.tag, str):
                element.tag = element.tag.rpartition("}")[2]
            if element.tag == "br":
                element.tail = f"\n{element.tail or ''}"
        self.page = root

    @property
    def title(self) -> str:
        return self.page.findtext("head/title") or ""

    @property
    def text(self) -> str:
        body = self.page.find("body")
        return re.sub(r"[ \t]+", " ", "".join(body.itertext())).strip()

    @property
    def links(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for element in self.page.iter("a"):
            found.setdefault(label_of(element), element.get("href"))
        return found

    @property
    def keys(self) -> dict[str, str]:
        """Access key -> label or name of what it reaches."""
        return {
            element.get("accesskey"): label_of(element) or element.get("name") or ""
            for element in self.page.iter()
            if element.get("accesskey")
        }

    def open(self, path: str = "/") -> XhtmlBrowser:
        self.fetch("GET", urljoin(self.origin + "/", path))
        return self

    def follow(self, label: str) -> XhtmlBrowser:
        for exact in (True, False):
            for name, href in self.links.items():
                if name == label or (not exact and label in name):
                    self.fetch("GET", urljoin(self.url, href))
                    return self
        raise Refused(f"no link {label!r} among {list(self.links)}")

    def room(self, name: str) -> int:
        """Return how many characters a field takes."""
        return int(
            next((f.get("maxlength") for f in self.page.iter("input") if f.get("name") == name), None)
            or 10**6
        )

    def fill(self, name: str, value: str) -> XhtmlBrowser:
        if not any(element.get("name") == name for element in self.page.iter("input", "textarea", "select")):
            raise Refused(f"no field {name!r}")
        self.filled[name] = value
        return self

    def attach(self, name: str, filename: str, octets: bytes) -> XhtmlBrowser:
        """Choose a file for a form that accepts one."""
        if not any(e.get("name") == name and e.get("type") == "file" for e in self.page.iter("input")):
            raise Refused(f"no field {name!r} for files")
        self.files.append((name, filename, octets))
        return self

    def tick(self, *labels: str) -> XhtmlBrowser:
        """Tick the boxes with these labels."""
        boxes = {e.get("id"): e for e in self.page.iter("input") if e.get("type") == "checkbox"}
        for label in labels:
            (named,) = (e for e in self.page.iter("label") if label in "".join(e.itertext()))
            boxes[named.get("for")].set("checked", "checked")
        return self

    def press(self, label: str) -> XhtmlBrowser:
        for form in self.page.iter("form"):
            buttons = [e for e in form.iter("input") if e.get("type") == "submit" and e.get("value") == label]
            if not buttons:
                continue
            fields: list[tuple[str, str]] = []
            for element in form.iter("input", "textarea", "select"):
                name = element.get("name")
                if not name or element.get("type") in ("submit", "file"):
                    continue
                if element.get("type") == "checkbox" and not element.get("checked"):
                    continue
                value = element.text or "" if element.tag == "textarea" else element.get("value", "")
                if element.tag == "select":
                    options = list(element.iter("option"))
                    held = [option for option in options if option.get("selected")] or options
                    value = held[0].get("value", "")
                value = self.charset if name == "_charset_" else self.filled.get(name, value)
                fields.append((name, value))
            if buttons[0].get("name"):
                fields.append((buttons[0].get("name"), label))
            encoded: tuple[bytes, str] = (_encode(fields, self.charset), FORM)
            if form.get("enctype") == "multipart/form-data":
                empty = [(e.get("name"), "", b"") for e in form.iter("input") if e.get("type") == "file"]
                encoded = _multipart(fields, self.files or empty, self.charset)
            self.posted = (urljoin(self.url, form.get("action")), *encoded)
            self.fetch("POST", *self.posted)
            return self
        raise Refused(f"no button {label!r}")

    def sign_in(self, user: str, password: str, path: str = "/") -> XhtmlBrowser:
        return self.open(path).fill("user", user).fill("password", password).press("Sign in")


__all__ = ["Answer", "Refused", "Transport", "WmlPhone", "XhtmlBrowser", "in_process", "over_http"]


def path_at(device: WmlPhone | XhtmlBrowser, name: str) -> str:
    """Return the path of a page of the device's session."""
    path = re.match(r"https?://[^/]+(/(?:~[^/]+/)?)", device.url)
    assert path
    return path[1] + name


def ticked_rows(device: WmlPhone | XhtmlBrowser) -> list[str]:
    """Return the texts of the rows that can be ticked."""
    if isinstance(device, WmlPhone):
        return [device._plain(option.text).strip() for option in device.card.find(".//select").iter("option")]
    return [
        "".join(label.itertext())
        for label in device.page.iter("label")
        if label.get("for", "").startswith("u")
    ]
