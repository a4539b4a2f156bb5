"""The words of a message, read by other means than the gateway's.

Nothing here may use a reader of ours: messages are parsed by the standard library's email package, HTML by an lxml tree
(the gateway reads a stream of events). Words of HTML are those that a browser without pictures and scripts would show:
not the hidden ones, not alternative texts, nothing in the colour of what is behind it.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64decode
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import Message
from typing import Final

from lxml import etree

#: Text without blanks counts by the character: a page may end anywhere in it.
_WORD: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\\W_]+"
)
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/=\s]")
_UNSEEN: Final = re.compile("[\xad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e0fff]")
#: What a label really means (WHATWG Encoding §4.2).
_MEANT: Final = {
    "gb2312": "gb18030",
    "us-ascii": "ascii",
    "iso-8859-1": "windows-1252",
    "latin1": "windows-1252",
}
_ASCII: Final = re.compile(r"[A-Za-z0-9]+")
_META: Final = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
#: The gateway reads this much HTML, octets, and says so; the reference may not ask for more.
HTML_CAP: Final = 512 * 1024
#: The most wrong characters in a text whose charset is what it claims to be.
WRONG_MOST: Final = 0.02
#: A page that is sent as plain text; SuperCite's quote marks; letters that are drawings.
_PAGE: Final = re.compile(rb"\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_INITIALS: Final = re.compile(r"^ {0,8}(?:[A-Z]{1,4}|[A-Z][a-z]{2,11})>(?= |$)", re.MULTILINE)
#: A tree omits what comes after them.
_END: Final = re.compile(r"</(?:html|body)\s*>", re.IGNORECASE)
_DRAWINGS: Final = re.compile(r"(<font[^>]*dings[^>]*>\s*)\w(?=\s*<)", re.IGNORECASE)
_MAY_BE_HALF: Final = re.compile(r"[^\x00-\x7f][@-~]?")


def words(text: str) -> list[str]:
    """Cut text into words, compared without regard to compatibility forms."""
    return _WORD.findall(unicodedata.normalize("NFKC", _UNSEEN.sub("", text)))


@dataclass(frozen=True)
class Seen:
    """What a browser shows of a page of HTML: its words in order, the words that it hides, and where links lead."""

    words: Sequence[str]
    hidden: Sequence[str] = ()
    links: Sequence[str] = ()


Look = Callable[[str], Seen]
"""How a page of HTML is examined."""


@dataclass(frozen=True)
class Part:
    """A part that a person reads. `sure`: its charset is what it claims to be; `lines`: those of a plain text."""

    html: bool
    seen: Seen
    sure: bool = True
    lines: tuple[str, ...] = ()

    @property
    def words(self) -> Sequence[str]:
        return self.seen.words


Choice = tuple[Part, ...]
"""Parts that are worth the same; one of them is read."""


#: The first delimiter of a text that consists of parts, after at most a header or a remark about MIME.
_PARTS = re.compile(
    rb"(?:(?:[\w-]+:|[ \t]|[^\n]*\b(?:multi-?part|MIME)\b)[^\n]*\n|\n)*--([^\n]{1,70})\nContent-",
    re.IGNORECASE,
)


def parts(raw: bytes, look: Look) -> list[Choice]:
    """Return the parts of a message that are to be read, in order."""
    raw = raw.lstrip(b"\r\n")
    if raw.startswith((b"From ", b">From ")):
        raw = raw.partition(b"\n")[2]
    return _of(message_from_bytes(raw), look)


def _of(message: Message, look: Look, alone: bool = True) -> list[Choice]:
    kind = message.get_content_type()
    if message.is_multipart():
        inner = [part for part in message.get_payload() if isinstance(part, Message)]
        if inner and inner[0].get_boundary() == message.get_boundary() and not inner[0].is_multipart():
            kind, *inner = inner[0].get_content_type(), *inner[1:]  # one boundary for both
        if kind == "multipart/alternative":
            branches = [_of(part, look, False) for part in inner]
            flat = tuple(choice[0] for branch in branches for choice in branch)
            return [flat] if flat else []
        if kind == "multipart/encrypted":
            return []
        if kind == "multipart/related":
            readable = [found for found in (_of(part, look, False) for part in inner) if found]
            return readable[0] if readable else []
        if kind == "multipart/report" or kind == "multipart/signed":
            inner = inner[:1]
        elif kind in ("message/delivery-status", "message/external-body"):
            return []
        return [choice for part in inner for choice in _of(part, look, False)]
    if kind not in ("text/plain", "text/html"):
        return []
    attached = message.get_content_disposition() == "attachment"
    named = kind == "text/html" and message.get_filename() and message.get_content_disposition() != "inline"
    if not alone and (attached or named):
        return []
    if alone and kind == "text/plain" and (inside := _parts_in(message)) is not None:
        return _of(inside, look, False)
    return [(_part(message, kind == "text/html", look),)]


def _parts_in(message: Message) -> Message | None:
    """Return the multipart that a text is without declaring it, None if it is a text."""
    octets = _octets(copy(message)).replace(b"\r\n", b"\n")  # which removes a field
    begins = _PARTS.match(octets)
    if begins is None:
        return None
    both = b"\nContent-Type: text/html" in octets and b"\nContent-Disposition: attachment" not in octets
    kind = b"alternative" if both else b"mixed"
    return message_from_bytes(b'Content-Type: multipart/%s; boundary="%s"\n\n' % (kind, begins[1]) + octets)


def _part(message: Message, html: bool, look: Look) -> Part:
    octets = _octets(message)
    html = html or _PAGE.match(octets) is not None
    if html:
        octets = octets[:HTML_CAP]
    text, sure = _text(octets, str(message.get_content_charset("") or ""), html)
    # In a text of unknown charset, letters after an octet that is not ASCII may be its second half.
    text = text if html else _INITIALS.sub(">", text)
    read = text if sure else _MAY_BE_HALF.sub("\xff", text)
    found = look(_DRAWINGS.sub(r"\1 ", read)) if html else Seen(words(read))
    if not sure:
        found = replace(found, words=[word for word in found.words if _ASCII.fullmatch(word)], hidden=())
    return Part(html, found, sure, () if html else tuple(text.splitlines()))


def _octets(message: Message) -> bytes:
    """Decode base64 with plain text after it, and quoted-printable with literal equals signs."""
    encoding = str(message.get("content-transfer-encoding", "")).strip().lower()
    if encoding in ("base64", "quoted-printable"):
        del message["content-transfer-encoding"]
    payload = message.get_payload(decode=True)
    octets = payload if isinstance(payload, bytes) else b""
    if encoding == "quoted-printable":
        octets = re.sub(rb"=[ \t]*\r?\n", b"", octets)
        return re.sub(rb"=([0-9A-Fa-f]{2})", lambda octet: bytes.fromhex(octet[1].decode()), octets)
    if encoding == "base64":
        plain = _NOT_BASE64.search(octets)
        ends = octets.rfind(b"\n", 0, plain.start()) + 1 if plain else len(octets)
        return _base64(octets[:ends]) + octets[ends:]
    return octets


def _base64(body: bytes) -> bytes:
    digits = re.sub(rb"[\s=]", b"", body)
    return b64decode(digits[: len(digits) - (len(digits) % 4 == 1)] + b"==")


def _text(octets: bytes, declared: str, html: bool) -> tuple[str, bool]:
    named = [declared] if declared else []
    match = _META.search(octets[:4096]) if html else None
    if match:
        named.append(match.group(1).decode())
    labels = (
        [*named, "utf-8"] if octets.isascii() else ["utf-8", *named]
    )  # UTF-8 is UTF-8, whatever it is called
    for label in labels:
        try:
            return octets.decode(_MEANT.get(label, label)), True
        except (LookupError, ValueError):
            continue
    for label in named:  # some octets are wrong
        try:
            text = octets.decode(label, "replace")
        except LookupError:
            continue
        if text.count("\ufffd") <= WRONG_MOST * len(text):
            return text, True
    return octets.decode("latin-1"), False


# HTML, as a tree

_SKIPPED: Final = frozenset(
    [
        "script",
        "style",
        "title",
        "head",
        "template",
        "noembed",
        "iframe",
        "object",
        "applet",
        "svg",
        "math",
        "canvas",
        "audio",
        "video",
        "select",
        "datalist",
        "frameset",
        "map",
        "xml",
    ]
)
_BLOCKS: Final = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "body",
        "br",
        "caption",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "option",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "td",
        "textarea",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
        "input",
        "img",
    ]
)
_SAID: Final = re.compile(r"(?:^|;)\s*([a-z-]+)\s*:\s*([^;]*)")
_NAMED: Final = {"white": "ffffff", "black": "000000", "red": "ff0000", "blue": "0000ff", "yellow": "ffff00"}


@dataclass(frozen=True)
class _Look:
    ink: str = "000000"
    paper: str = "ffffff"
    tiny: bool = False

    @property
    def unseen(self) -> bool:
        return self.tiny or _near(self.ink, self.paper)


def _near(one: str, other: str) -> bool:
    if "?" in one + other:
        return False
    channels = ((int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (0, 2, 4))
    return sum(abs(a - b) for a, b in channels) < 16


def _colour(text: str) -> str:
    text = text.strip().lower().removesuffix("!important").strip().lstrip("#")
    text = _NAMED.get(text, text)
    if re.fullmatch(r"[0-9a-f]{3}", text):
        text = "".join(digit * 2 for digit in text)
    return text if re.fullmatch(r"[0-9a-f]{6}", text) else "?"  # in an unknown colour everything is visible


def _look(element: etree._Element, look: _Look) -> _Look | None:
    """Return how an element's text looks; None if hidden."""
    said = dict(_SAID.findall((element.get("style") or "").lower()))
    if (
        "none" in said.get("display", "")
        or "hidden" in said.get("visibility", "")
        or "hidden" in element.attrib
    ):
        return None
    if element.tag == "font" and element.get("color"):
        look = replace(look, ink=_colour(element.get("color") or ""))
    if element.tag == "body" and element.get("text"):
        look = replace(look, ink=_colour(element.get("text") or ""))
    if element.get("bgcolor"):
        look = replace(look, paper=_colour(element.get("bgcolor") or ""))
    if element.get("background"):
        look = replace(look, paper="?")
    if "color" in said:
        look = replace(look, ink=_colour(said["color"]))
    paper = said.get("background-color") or said.get("background") or ""
    if paper:
        look = replace(look, paper=_colour(paper.split()[0]))
    size = said.get("font-size", "")
    if size:
        look = replace(look, tiny=re.match(r"\s*(?:0|1)(?:\.\d+)?\s*(?:px|pt|%)?\s*\Z", size) is not None)
    return look


def seen(html: str) -> Seen:
    """Examine a page without a browser: its visible words, and nothing else."""
    html = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "", html)
    html = _END.sub("", html)
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(html.encode("utf-8", "replace"), parser)
    except etree.LxmlError:
        return Seen(())
    if root is None:
        return Seen(())
    texts: list[str] = []
    waiting: list[tuple[etree._Element | str, _Look]] = [(root, _Look())]
    while waiting:
        item, look = waiting.pop()
        if isinstance(item, str):
            texts.append(item if not look.unseen else " ")
            continue
        if item.tag in _SKIPPED:
            continue
        inside = _look(item, look)
        if inside is None:
            continue
        edge = "\n" if item.tag in _BLOCKS else ""
        waiting.append((edge, _Look()))
        for child in reversed(item):
            waiting.append((child.tail or "", inside))
            waiting.append((child, inside))
        waiting.append((edge + (item.text or ""), inside))
    return Seen(words("".join(texts)))
