"""Messages made to cost time or memory, by name; each at most some megabytes, as servers limit what arrives.

Nothing here may be small: the point of each is one thing in great number.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final

MEGABYTE: Final = 1024 * 1024
MANY: Final = 100_000


def mail(
    body: bytes | str, kind: str = "text/html; charset=utf-8", header: str = "", encoding: str = "8bit"
) -> bytes:
    octets = body.encode() if isinstance(body, str) else body
    head = f"{header or 'From: a@example.org' + chr(10) + 'Subject: x' + chr(10)}MIME-Version: 1.0\nContent-Type: {kind}\n"
    return f"{head}Content-Transfer-Encoding: {encoding}\n\n".encode() + octets


def plain(body: bytes | str, more: str = "") -> bytes:
    return mail(body, "text/plain; charset=utf-8" + more)


def filled(pattern: str, size: int = 10 * MEGABYTE) -> str:
    return pattern * (size // len(pattern))


def headed(header: str) -> bytes:
    return mail("text", "text/plain", header)


def multipart(count: int, part: str = "Content-Type: text/plain\n\nx\n", kind: str = "mixed") -> bytes:
    return mail(f"--b\n{part}" * count + "--b--\n", f'multipart/{kind}; boundary="b"')


def nested_multiparts(count: int) -> bytes:
    body = "".join(
        f'--{n:06}\nContent-Type: multipart/mixed; boundary="{n + 1:06}"\n\n' for n in range(count)
    )
    return mail(body, 'multipart/mixed; boundary="000000"')


def nested_messages(count: int) -> bytes:
    return mail("Content-Type: message/rfc822\n\n" * count + "Subject: at last\n\ntext", "message/rfc822")


def unlike(count: int) -> bytes:
    """Boundaries that begin alike, none of them closed."""
    body = "".join(
        f'--{"b" * n}\nContent-Type: multipart/mixed; boundary="{"b" * (n + 1)}"\n\n' for n in range(1, count)
    )
    return mail(body, 'multipart/mixed; boundary="b"')


def tables(depth: int) -> str:
    return "<table><tr><td>a<td>" * depth + "b"


HOSTILE: Final[dict[str, Callable[[], bytes]]] = {
    # nested and unclosed elements
    **{
        f"nested {name}": lambda name=name: mail(f"<{name}>x" * MANY)
        for name in ("div", "b", "span style='color:red'", "blockquote", "ul><li", "font color=red", "table", "p", "q",
                     "a href='http://example.org/'", "h1", "pre", "svg", "noscript", "form", "center", "x:y")
    },
    "nested tables": lambda: mail(tables(20_000)),
    "nested and closed": lambda: mail("<div>" * MANY + "x" + "</div>" * MANY),
    "closed only": lambda: mail("</div></p></td>" * MANY),
    "end tags of nothing": lambda: mail("<b>" * 80_000 + "</i>x" * 60_000),
    "end tags of what lies deep": lambda: mail("<i>" + "<div>" * 50_000 + "</i></b>x" * 30_000),
    "bits of bold": lambda: mail("<b>word</b> " * MANY),
    "links that touch": lambda: mail("<p>" + "".join(f"<a href='http://a.example/{n}'>w</a>" for n in range(MANY))),
    "misnested": lambda: mail("<b><p><i></b><table></p></i>x" * (MANY // 4)),
    # attributes
    "attributes": lambda: mail("<p " + " ".join(f"a{n}='{n}'" for n in range(MANY)) + ">text"),
    "attributes alike": lambda: mail("<p " + "style='color:red' " * MANY + ">text"),
    "long attribute": lambda: mail("<p title='" + filled("x ") + "'>text"),
    "long style": lambda: mail("<p style='" + filled("color:red;") + "'>text"),
    "long href": lambda: mail("<a href='http://example.org/" + filled("x") + "'>text</a>"),
    "many styles": lambda: mail("".join(f"<p style='font-size:{n}px;a{n}:b'>x</p>" for n in range(MANY))),
    "style sheet": lambda: mail("<style>" + filled(".a,.b>c{display:none}/*") + "</style><p>text"),
    "style sheets": lambda: mail("<style>.a{display:none}</style>" * MANY + "<p class=a>text"),
    "many classes": lambda: mail("<style>.x{display:none}</style>" + f"<p class='{'a ' * 2000}'>x</p>" * 1000),
    # lines
    "one line of text": lambda: plain(filled("word ")),
    "one line without blanks": lambda: plain(filled("x")),
    "one line of HTML": lambda: mail(filled("word ")),
    "one line of HTML without blanks": lambda: mail(filled("x")),
    "one line of base64": lambda: mail(base64.b64encode(filled("word ").encode()), "text/plain", encoding="base64"),
    "one line of quoted-printable": lambda: mail(filled("=41=20"), "text/plain", encoding="quoted-printable"),
    "soft line ends": lambda: mail(filled("=\n"), "text/plain", encoding="quoted-printable"),
    "one line of CJK": lambda: plain("漢字" * MEGABYTE),
    "blank lines": lambda: plain(filled("\n") + "text"),
    "blanks": lambda: plain(filled(" ") + "text"),
    "blanks in HTML": lambda: mail(filled("\u00a0 \u200c") + "text"),
    "quote marks": lambda: plain(filled(">")),
    "quoted lines": lambda: plain(filled("> > > x\n")),
    "bars": lambda: plain(filled("| ")),
    "flowed": lambda: plain(filled("word \n"), "; format=flowed; delsp=yes"),
    "signatures": lambda: plain(filled("-- \n")),
    "attributions": lambda: plain(filled("On Monday, Anna wrote:\n")),
    "headers in text": lambda: plain(filled("From: a\nSent: b\nTo: c\nSubject: d\n"), ""),
    "rules": lambda: plain(filled("-")),
    "short rules": lambda: plain(filled("- - - - - -\n")),
    "columns": lambda: plain(filled("a    b\tc |\n")),
    "frames": lambda: plain(filled("+---+ | ")),
    "items": lambda: plain(filled("1) x\n")),
    # what looks like a link, a character reference, or a tag
    "addresses": lambda: plain(filled("a@b.example ")),
    "almost addresses": lambda: plain(filled("a@")),
    "URLs": lambda: plain(filled("http://example.org/a ")),
    "one URL": lambda: plain("http://example.org/" + filled("a")),
    "URLs in one": lambda: plain(filled("http://www.")),
    "brackets in a URL": lambda: plain("http://example.org/" + filled("()(")),
    "links": lambda: mail("".join(f"<a href='http://example.org/{n}'>{n}</a>" for n in range(MANY))),
    "less than": lambda: mail(filled("<")),
    "ampersands": lambda: mail(filled("&")),
    "references": lambda: mail(filled("&#x41;")),
    "references to nothing": lambda: mail(filled("&#0;&#1114112;")),
    "open tags": lambda: mail(filled("<a ")),
    "comments": lambda: mail(filled("<!-- x --><!--")),
    "instructions": lambda: mail(filled("<?x ")),
    "dollars": lambda: plain(filled("$$(x)")),
    # tables and lists
    "a table": lambda: mail("<table>" + ("<tr>" + "<td>x" * 100) * 1000),
    "a wide table": lambda: mail("<table><tr>" + "<td>x" * MANY),
    "spans": lambda: mail("<table>" + "<tr><td colspan=1000 rowspan=1000>x<td>y" * 10_000),
    "a long list": lambda: mail("<ol>" + "<li>x" * MANY),
    "rules in HTML": lambda: mail("<hr>" * MANY + "text"),
    "line ends in HTML": lambda: mail("<br>" * MANY + "text"),
    "pictures": lambda: mail("<img src='cid:x' alt='a picture'>" * MANY),
    # characters
    "combining characters": lambda: plain("a" + "\u0301" * (3 * MEGABYTE)),
    "joiners": lambda: plain("\U0001f468\u200d" * MEGABYTE),
    "flags": lambda: plain("\U0001f1e9" * MEGABYTE),
    "embeddings": lambda: plain("\u202e\u2066" * MEGABYTE + "text"),
    "zeros": lambda: plain(b"\0" * (10 * MEGABYTE)),
    "high octets": lambda: mail(bytes(range(128, 256)) * (40 * 1024), "text/plain"),
    "high octets in HTML": lambda: mail(bytes(range(128, 256)) * (40 * 1024), "text/html"),
    "escapes": lambda: mail(b"\x1b$B\x1b(B" * MEGABYTE, "text/plain; charset=iso-2022-jp"),
    "UTF-7": lambda: mail(b"+AAA-" * (2 * MEGABYTE), "text/plain; charset=utf-7"),
    "UTF-7 without an end": lambda: mail(b"+" + b"A" * (10 * MEGABYTE), "text/plain; charset=utf-7"),
    "UTF-16": lambda: mail(b"\0a" * (5 * MEGABYTE), "text/plain; charset=utf-16"),
    # parts
    "parts": lambda: multipart(10_000),
    "HTML parts": lambda: multipart(10_000, "Content-Type: text/html\n\n<p>x\n"),
    "empty parts": lambda: multipart(MANY, "\n"),
    "alternatives": lambda: multipart(10_000, kind="alternative"),
    "a digest": lambda: multipart(10_000, "\nSubject: x\n\ny\n", "digest"),
    "pictures as parts": lambda: multipart(10_000, "Content-Type: image/png\nContent-ID: <x>\n\nx\n", "related"),
    "attachments": lambda: multipart(10_000, 'Content-Type: a/b; name="x"\n\nx\n'),
    "nested multiparts": lambda: nested_multiparts(10_000),
    "nested messages": lambda: nested_messages(10_000),
    "boundaries alike": lambda: unlike(1_000),
    "boundaries in no line": lambda: mail(filled("--b"), 'multipart/mixed; boundary="b"'),
    "almost boundaries": lambda: mail(filled("\n--bb"), 'multipart/mixed; boundary="b"'),
    # header
    **{
        f"brackets in {name}": lambda name=name: headed(f"{name}: " + "(" * 3000 + "<" * 3000 + "[" * 3000 + '"' * 3000 + "\n")
        for name in ("From", "To", "Subject", "Date", "Content-Type", "Content-Disposition", "List-Unsubscribe")
    },
    "1,000 recipients": lambda: headed("To: " + ",\n ".join(f"Name {n} <n{n}@example.org>" for n in range(1000)) + "\n"),
    "100,000 recipients": lambda: headed("To: " + ", ".join(f"n{n}@example.org" for n in range(MANY)) + "\n"),
    "groups": lambda: headed("To: " + "a:b;" * MANY + "\n"),
    "nested comments": lambda: headed("To: " + "(" * MANY + ")" * MANY + "a@example.org\n"),
    "a long header": lambda: headed("Subject: " + filled("word ") + "\n"),
    "a long word in a header": lambda: headed("Subject: " + filled("x") + "\n"),
    "many headers": lambda: headed("X-Y: z\n" * 500_000),
    "many subjects": lambda: headed("Subject: z\n" * 500_000),
    "folded": lambda: headed("Subject: x\n" + " \n" * MEGABYTE + " y\n"),
    "encoded words": lambda: headed("Subject: " + "=?utf-8?q?=41?= " * MANY + "\n"),
    "an encoded word without an end": lambda: headed("Subject: =?utf-8?q?" + filled("=41") + "\n"),
    "almost encoded words": lambda: headed("Subject: " + filled("=?a?b?") + "\n"),
    "parameters": lambda: headed("Content-Type: text/plain" + "".join(f";\n a{n}=b" for n in range(MANY)) + "\n"),
    "continuations": lambda: headed("Content-Type: text/plain" + "".join(f"; name*{n}*=%41" for n in range(MANY)) + "\n"),
    "references to messages": lambda: headed("References: " + "<a@example.org> " * MANY + "\n"),
    "no header": lambda: filled("x").encode(),
    "CR only": lambda: filled("x\r").encode(),
    "LF only": lambda: filled("\n").encode(),
    # records
    "events": lambda: mail("BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n" * MANY, "text/calendar"),
    "attendees": lambda: mail("BEGIN:VEVENT\n" + "ATTENDEE;CN=x:mailto:a@example.org\n" * MANY, "text/calendar"),
    "a recurrence": lambda: mail("BEGIN:VEVENT\nRRULE:" + filled("FREQ=SECONDLY;") + "\nEND:VEVENT", "text/calendar"),
    "folded calendar": lambda: mail("BEGIN:VEVENT\nSUMMARY:x" + filled("\n y"), "text/calendar"),
    "a contact": lambda: mail("BEGIN:VCARD\n" + "TEL:1\n" * MANY + "END:VCARD", "text/vcard"),
    "a report": lambda: multipart(2, "Content-Type: message/delivery-status\n\n" + "Status: 5.0.0\n\n" * MANY, "report"),
    "enriched": lambda: mail(filled("<bold>"), "text/enriched"),
    **{
        f"Markdown of {mark!r}": lambda mark=mark: mail(filled(mark), "text/markdown")
        for mark in ("**", "*a ", "[", "[a](", "`", "_a", "|-|\n", "> ", "- a\n", "#\n", "```\n", "<http://", "\\")
    },
}  # fmt: skip
