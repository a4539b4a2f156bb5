"""The octets of an HTML part, pulled until there is enough text to read.

Nothing here may parse. Embedded pictures ("data:" URLs, RFC 2397) are removed on the way: they are
large and never displayed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.message.charset import decoding
from gateway.message.mime import body
from gateway.message.model import Part

#: Octets of HTML that are read, not counting embedded pictures; the rest is left to the original.
HTML_CAP: Final = 512 * 1024
#: Hidden text is not counted either, up to this many octets.
UNSEEN_CAP: Final = 1024 * 1024
#: Nor are pictures, but no more than this is fetched, octets as transfer-encoded.
FETCHED_CAP: Final = 8 * 1024 * 1024

_DATA: Final = re.compile(
    rb"(?:=\s{0,9}(?P<mark>[\"']?)|url\(\s{0,9}(?P<in_url>[\"']?))\s{0,9}data:[\w.+/-]{0,80}(?:;[\w.=-]{1,40}){0,5};base64,",
    re.IGNORECASE,
)
#: The end of what the pattern above finds.
_MARK: Final = b";base64,"
#: About the most octets that the pattern above spans.
_SPAN: Final = 400
#: How a page begins. QUIRK: scripts that send one often label it as plain text, or not at all.
_PAGE: Final = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}>\s*|<!--[^>]{0,200}-->\s*|<x-html>\s*)?<(?:(?:!doctype\s+html|html|head|body)\b"
    rb"|(?:p|div|table|center|font|span|meta|style|title|h[1-6])(?:\s[^<>]{0,400})?>[^<]{0,300}<[/a-z])",
    re.IGNORECASE,
)
#: The line breaks that end the lines of a fragment: at least this many of the first lines have one, and most of them.
_BREAKS: Final = re.compile(rb"(?:\s*</?br ?/?>)+\s*\Z", re.IGNORECASE)
_BROKEN_LEAST: Final = 2
_BROKEN: Final = 2 / 3
#: QUIRK: a part's delimiter and header in front of it, in the text of a message that has no parts.
_HEADER: Final = re.compile(
    rb"\A\s{0,9}(?:--[^\r\n]{1,100}\r?\n)?(?:Content-[\w-]{1,30}:[^\r\n]{0,200}\r?\n){1,4}\s{0,9}(?=<)",
    re.IGNORECASE,
)
#: The end of such a "data:" URL: inside quotation marks, line ends belong to it.
_END: Final = re.compile(rb"[^A-Za-z0-9+/=%]")
_END_MARKED: Final = re.compile(rb"[^A-Za-z0-9+/=%\s]")
#: Octets searched for the last tag, before which a page is cut.
_TAG_WITHIN: Final = 4096


def is_page(beginning: bytes) -> bool:
    """Return whether text labelled as plain is really a page, or a fragment of one."""
    if b"<" not in beginning:
        return False
    if _PAGE.match(_HEADER.sub(b"", beginning.removeprefix(b"\xef\xbb\xbf"), count=1)):
        return True
    lines = [line for line in beginning.splitlines()[:-1] if line.strip()]
    ends = [match.start() > 0 for match in map(_BREAKS.search, lines) if match]
    return sum(ends) >= max(_BROKEN_LEAST, _BROKEN * (len(lines) - ends.count(False)))


def without_pictures(octets: Iterator[bytes]) -> Iterator[bytes]:
    """Remove what follows "base64," in the URLs of a page."""
    kept = b""
    end: re.Pattern[bytes] | None = None
    for stretch in octets:
        kept += stretch
        may_have = _MARK in kept.lower()  # many times as fast as the pattern
        while kept:
            if end is not None:
                ended = end.search(kept)
                kept = kept[ended.start() :] if ended else b""
                end = end if ended is None else None
                continue
            found = _DATA.search(kept) if may_have else None
            if found is None:
                break
            yield kept[: found.end()]
            kept = kept[found.end() :]
            end = _END_MARKED if found["mark"] or found["in_url"] else _END
        if len(kept) > _SPAN:
            yield kept[:-_SPAN]
            kept = kept[-_SPAN:]
    if kept:
        yield kept


class HtmlOctets:
    """A part that is read piece by piece; `cut`: the rest was not read."""

    def __init__(self, part: Part, octets: Iterator[bytes]) -> None:
        self._allowance = body.Allowance(octets, FETCHED_CAP)
        self._source = without_pictures(body.decoded(part, iter(self._allowance)))
        self._declared = part.parameters.get("charset", "")
        self._label = ""
        self._kept = b""
        self._unseen = 0
        self.cut = False

    def text(self) -> str:
        """Read the beginning."""
        octets = self._take(HTML_CAP)
        header = _HEADER.match(octets)
        octets = octets[header.end() :] if header else octets
        self._label = decoding.html_label(octets, self._declared)
        return decoding.decode(octets, self._label)[0]

    def more(self, octets: int) -> str:
        """Read on, to replace text that is not for reading; '' at the end."""
        octets = min(octets, UNSEEN_CAP - self._unseen)
        if octets <= 0 or not self.cut or decoding.resolve(self._label).startswith(("utf_16", "utf_32")):
            return ""
        self._unseen += octets
        return decoding.decode(self._take(octets), self._label)[0]

    def _take(self, count: int) -> bytes:
        pulled = [self._kept]
        size = len(self._kept)
        while size <= count and (stretch := next(self._source, b"")):
            pulled.append(stretch)
            size += len(stretch)
        octets = b"".join(pulled)
        if size <= count:
            self._kept, self.cut = b"", self._allowance.spent
            return octets
        tag = octets.rfind(b"<", max(count - _TAG_WITHIN, 1), count)
        end = tag if tag > 0 else count
        self._kept, self.cut = octets[end:], True
        return octets[:end]
