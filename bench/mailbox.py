"""Mailboxes to measure with: small messages, a thousand folders, and on top a text and a newsletter of usual size.

Nothing here may depend on chance or on the date: every run measures the same octets.
"""

from __future__ import annotations

import quopri

from tests.servers import maildir
from tests.servers.dovecot import Dovecot

DOMAIN = "example.net"
TEXT, NEWSLETTER = "A text of some length", "The weekly newsletter"
#: The search: in headers, like most searches; a tenth of the small messages match.
WORDS = "subject:7"
#: A text that only the HTML of the newsletter contains.
ARTICLE = "Article 1 of this week"
#: Before the two messages that are read, which must be the newest.
EARLIER = 1_700_000_000
#: Folders beside the inbox, as for somebody who keeps all mail of many years.
FOLDERS = 1000
#: Octets of HTML in a newsletter such as shops and papers send.
NEWSLETTER_OCTETS = 40_000
#: Paragraphs of the text: 1.7 KB, two decks of a phone of 1999.
PARAGRAPHS = 6

_HEADER = (
    "From: =?utf-8?q?Zo=C3=AB?= Sender <sender@example.org>\r\nTo: Reader <reader@example.net>\r\n"
    "Subject: {subject}\r\nDate: Tue, 3 Nov 2026 14:05:00 +0100\r\nMessage-ID: <{id}@example.org>\r\n"
    "MIME-Version: 1.0\r\n"
)
_PROSE = (
    "The meeting about part {n} was moved to Thursday, as the room is being painted; please bring the printed "
    "figures and the old contract. Somebody has to ask the supplier why delivery {n} came late, preferably "
    "before noon, and tell the others what he said – it was naïve to hope.\r\n"
)
_CELL = """\
<tr><td align="left" valign="top" style="padding:10px 20px;font-family:Verdana,sans-serif;font-size:14px;color:#222">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>
<td width="140"><a href="https://news.example.org/go/{n}?utm_source=mail&amp;utm_campaign=week"><img width="140"
 src="https://pictures.example.org/{n}.jpg" height="100" alt="Picture {n}" style="display:block;border:0"></a></td>
<td style="padding-left:14px"><h2 style="margin:0 0 6px;font-size:17px;color:#124">{article}</h2>
<p style="margin:0 0 8px">{prose}</p>
<a href="https://news.example.org/read/{n}" style="background:#06c;color:#fff;padding:6px 12px;border-radius:3px">\
Read on &raquo;</a></td></tr></table></td></tr>
"""


def text() -> bytes:
    """Write the text message."""
    header = _HEADER.format(subject=TEXT, id="text")
    body = "\r\n".join(_PROSE.format(n=n) for n in range(1, PARAGRAPHS + 1))
    kind = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    return (header + kind + body).encode()


def newsletter() -> bytes:
    """Write the newsletter: tables in tables, styles, remote pictures, and a text part that only says where it is.

    A newsletter whose text part says as much as its HTML costs as much as a text.
    """
    styles = "".join(
        f"@media only screen and (max-width:{width}px){{.c{width}{{width:100%!important}}}}\n"
        for width in range(320, 350)
    )
    cells = ""
    number = 0
    while len(cells) + len(styles) < NEWSLETTER_OCTETS:
        number += 1
        cells += _CELL.format(
            n=number, article=ARTICLE.replace("1", str(number)), prose=_PROSE.format(n=number).strip()
        )
    html = (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>News</title>\n'
        f'<style type="text/css">\n{styles}</style></head>\n<body bgcolor="#eeeeee">\n'
        '<div style="display:none;max-height:0">What this week is about</div>\n'
        f'<table width="600" align="center" cellpadding="0" cellspacing="0">\n{cells}</table>\n'
        '<img src="https://count.example.org/o.gif" width="1" height="1" alt="">\n'
        '<p style="font-size:10px"><a href="https://news.example.org/stop">Unsubscribe</a></p></body></html>\n'
    )
    plain = "To read this newsletter open it in your browser: https://news.example.org/week\n"
    parts = "".join(
        f"--b\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        + quopri.encodestring(body.encode()).decode().replace("\n", "\r\n")
        + "\r\n"
        for kind, body in (("plain", plain), ("html", html))
    )
    header = _HEADER.format(subject=NEWSLETTER, id="news")
    return f"{header}Content-Type: multipart/alternative; boundary=b\r\n\r\n{parts}--b--\r\n".encode()


def make(server: Dovecot, size: int) -> str:
    """Make a user with this many messages; return the address."""
    user = server.user(f"reader{size}@{DOMAIN}")
    maildir.fill(server.maildir(user), size - 2, first_second=EARLIER)
    for number in range(1, FOLDERS + 1):
        maildir.write(server.maildir(user, f"Customer {number:04}"), ())
    server.deliver(user, newsletter())
    server.deliver(user, text())
    return user
