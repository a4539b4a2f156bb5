"""The mail that the walk of the whole job uses: text over pages, HTML, files, letters of any kind."""

from __future__ import annotations

from email.message import EmailMessage

FILE = bytes(range(256)) * 40
LONG = "Pay $(user) now.\n\n" + "".join(
    f"Sentence {n} of this long letter says little.\n\n" for n in range(120)
)
HTML = "<html><body><h1>Harbour</h1><p>The <b>old</b> lighthouse &amp; its keeper.</p></body></html>"


def to(me: str, bob: str) -> list[bytes]:
    """Write it, the newest last."""
    papers = _mail(bob, me, "Papers", "See what is attached.")
    papers.add_attachment("Words in a file, да.\n", filename="notes.txt")
    papers.add_attachment(FILE, maintype="application", subtype="x-thing", filename="données.bin")
    made = (
        _mail(bob, me, "Rubbish", "Away with it."),
        _mail(bob, me, "Umzug & Grüße", "Wir ziehen um."),
        papers,
        _mail(bob, me, "Webpage", HTML, html=True),
        _mail(bob, me, "Letter $5", LONG),
    )
    return [one.as_bytes(policy=one.policy.clone(linesep="\r\n", cte_type="7bit")) for one in made]


def _mail(sender: str, to: str, subject: str, text: str, html: bool = False) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = f"Bob <{sender}>", to, subject
    made["Date"], made["Message-ID"] = "Tue, 3 Nov 2026 14:05:00 +0100", f"<{subject.split()[0]}@example.org>"
    made.set_content(text, subtype="html" if html else "plain", cte="quoted-printable")
    return made
