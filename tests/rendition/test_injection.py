"""None of a sender's markup comes through: only our own elements and attributes, and links of allowed schemes.

Judged by an XML parser and lists of what our templates and block writers use; the attempts are in `injections`.
"""

from __future__ import annotations

import re
from functools import cache

import pytest
from lxml import etree

from gateway.device import WML, by_name
from gateway.message.mime import wire_format
from gateway.pages.message_pages import message_pages
from tests.rendition import injections

XHTML_NAMES = {
    "html": {"xml:lang"}, "head": set(), "title": set(), "meta": {"name", "content"}, "body": set(),
    **{f"h{level}": set() for level in range(1, 7)},
    "p": {"class"}, "ul": {"class"}, "li": set(), "span": {"class"}, "a": {"href", "accesskey"}, "br": set(),
    "hr": set(), "pre": set(), "blockquote": set(), "code": set(), "strong": set(), "em": set(),
}  # fmt: skip
WML_NAMES = {
    "wml": set(), "card": {"id", "title"}, "do": {"type", "label", "name"}, "go": {"href"}, "prev": set(), "p": set(),
    "br": set(), "b": set(), "i": set(), "a": {"href", "accesskey"},
}  # fmt: skip
CLASSES = {"a", "d", "e", "k", "n"}
#: An address of ours is relative and never begins like a scheme; others have one of these.
HREF = re.compile(
    r"(?:\.\./)?[\w~.?=&;%+-]+(?:/[\w~.?=&;%+-]+)*\Z|https?://[^\s\"<>]+\Z|mailto:[^\s\"<>]+\Z|tel:[^\s\"<>]+\Z"
)
VIEWPORT = "width=device-width"


def mail(body: bytes, charset: str = "utf-8", kind: str = "text/html", header: bytes = b"") -> bytes:
    label = f'; charset="{charset}"' if charset else ""
    head = f"MIME-Version: 1.0\r\nContent-Type: {kind}{label}\r\nContent-Transfer-Encoding: 8bit\r\n".encode()
    return (header or b"From: Eve <eve@example.org>\r\nSubject: x\r\n") + head + b"\r\n" + body


def said(vector: str) -> bytes:
    return (
        vector.encode("utf-8", "surrogatepass")
        .replace(b"@JS@", b"ran()")
        .replace(b"@URL@", b"http://example.org/f")
    )


def pages(raw: bytes, device: str, fold: bool = False) -> list[bytes]:
    message = wire_format.parse(raw)
    return [
        page.octets for page in message_pages(message.message, message.octets, by_name(device), fold=fold)
    ]


@cache
def posts(root: etree._Element) -> list[etree._Element]:
    """Find what posts something."""
    keys = [do for do in root.iter("{*}do") if do.find("{*}go[@method]") is not None]
    for key in keys:
        key.attrib.pop("name", None)  # its number on the page
    return [*root.iter("{*}form", "{*}anchor"), *keys]


@cache
def own_posts(device: str) -> list[bytes]:
    (page,) = pages(mail(b"x", kind="text/plain"), device)
    return [etree.tostring(each, with_tail=False) for each in posts(etree.fromstring(page))]


def check(page: bytes, device: str) -> None:
    """Assert that a page contains only markup of ours."""
    wml = by_name(device).markup == WML
    root = etree.fromstring(page, etree.XMLParser(resolve_entities=False, no_network=True))
    for form in posts(root):
        assert etree.tostring(form, with_tail=False) in own_posts(device), page.decode()
        form.clear(keep_tail=True)
        form.tag = etree.QName(form).text.replace("form", "span").replace("anchor", "b")
    names = WML_NAMES if wml else XHTML_NAMES
    assert root.getroottree().docinfo.internalDTD.entities() == []
    for element in root.iter():
        assert isinstance(element.tag, str), f"comment or instruction: {element}"
        name = etree.QName(element)
        assert name.localname in names, page.decode()
        assert (name.namespace or "") == ("" if wml else "http://www.w3.org/1999/xhtml")
        for attribute, value in element.attrib.items():
            attribute = attribute.replace("{http://www.w3.org/XML/1998/namespace}", "xml:")
            assert attribute in names[name.localname], (name.localname, attribute, page.decode())
            if attribute == "href":
                assert HREF.match(value), value
            elif attribute == "class":
                assert value in CLASSES
            elif attribute == "content":
                assert value == VIEWPORT
    if wml:
        assert not re.sub(rb"\$\$", b"", page).count(b"$"), "a variable"


def test_there_are_many_vectors_and_no_two_alike() -> None:
    every = [*injections.VECTORS, *injections.PLAIN]
    assert len(set(every)) == len(every) >= 200


@pytest.mark.parametrize("device", ["xhtml", "nokia7110"])
@pytest.mark.parametrize("vector", injections.VECTORS)
def test_no_markup_of_html_survives(vector: str, device: str) -> None:
    for fold in (False, True):
        for page in pages(mail(said(vector)), device, fold):
            check(page, device)


@pytest.mark.parametrize("device", ["xhtml", "nokia7110"])
@pytest.mark.parametrize(("charset", "body"), injections.CHARSETS)
def test_no_charset_hides_markup(charset: str, body: bytes, device: str) -> None:
    body = body.replace(b"@JS@", b"ran()")
    for page in pages(mail(body, charset), device):
        check(page, device)


@pytest.mark.parametrize("device", ["xhtml", "nokia7110"])
@pytest.mark.parametrize("vector", [*injections.PLAIN, *injections.VECTORS[::6]])
@pytest.mark.parametrize(
    "kind", ["text/plain", "text/enriched", "text/calendar", "text/vcard", "message/delivery-status"]
)
def test_no_markup_of_other_texts_survives(vector: str, kind: str, device: str) -> None:
    text = said(vector)
    body = {
        "text/calendar": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:%s\r\nLOCATION:%s\r\nURL:%s\r\nEND:VEVENT\r\n",
        "text/vcard": b"BEGIN:VCARD\r\nFN:%s\r\nEMAIL:%s\r\nURL:%s\r\nEND:VCARD\r\n",
        "message/delivery-status": b"Reporting-MTA: dns; %s\r\n\r\nFinal-Recipient: rfc822; %s\r\nStatus: %s\r\n",
    }.get(kind, b"%s %s %s") % ((text,) * 3)
    for page in pages(mail(body, kind=kind), device):
        check(page, device)


@pytest.mark.parametrize("device", ["xhtml", "nokia7110"])
@pytest.mark.parametrize("vector", [*injections.PLAIN, *injections.VECTORS[::6]])
def test_no_markup_of_headers_survives(vector: str, device: str) -> None:
    text = said(vector).translate(None, b"\r\n")
    name = text.replace(b'"', b"'").replace(b"\\", b"")
    header = b'From: "%s" <eve@example.org>\r\nSubject: %s\r\nTo: %s <%s>\r\n' % (name, text, text, text)
    for page in pages(mail(b"<p>text</p>", header=header), device):
        check(page, device)
    nested = header + b"Content-Type: text/plain; name*=utf-8''%3Cscript%3E\r\n\r\ntext"
    for page in pages(mail(nested, kind="message/rfc822"), device):
        check(page, device)


@pytest.mark.parametrize("device", ["xhtml", "nokia7110"])
def test_no_markup_of_all_vectors_together_survives(device: str) -> None:
    for page in pages(mail(b"\n".join(map(said, injections.VECTORS))), device):
        check(page, device)


def test_the_check_can_fail() -> None:
    (page,) = pages(mail(b"<p>text</p>"), "xhtml")
    for good, bad in (
        (b"<p>text</p>", b"<p onclick='x'>text</p>"),
        (b"<p>text</p>", b"<script>x</script>"),
        (b"<p>text</p>", b"<a href='javascript:x'>text</a>"),
        (b"<p>text</p>", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        (b"<title>", b"<style>p{}</style><title>"),
    ):
        assert good in page
        with pytest.raises(AssertionError):
            check(page.replace(good, bad), "xhtml")
    (deck,) = pages(mail(b"<p>text</p>"), "nokia7110")
    with pytest.raises(AssertionError, match="variable"):
        check(deck.replace(b"text", b"$(text)"), "nokia7110")
