"""Every form with a ticket: the same again is a repeat, whatever happened in between; anything else is another act.

The addresses come from the app itself, so a new form that is not done once by the one mechanism fails here without
being named. An act is a row of `tickets`, or of the `journal` if a mail is sent: no repeat adds one.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from lxml import etree

from gateway.access.session import Session
from tests.devices.phones import Answer
from tests.matrix import one_of
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.sweeps.everything import (
    HANDHELDS,
    ME,
    VCARD,
    Gateway,
    changed,
    form_of,
    opened,
    posts,
    started_again,
    unread,
)

#: Forms without a ticket, or that may be posted any number of times; and what ends all sessions.
FREE = {
    "contacts.find",
    "zone.find",
    "signin.submit_wml",
    "signin.submit_xhtml",
    "outcomes.acknowledge",
    "stored_data.delete",
}
#: What is typed the second time, with the same ticket. Forms that are not here have nothing to type.
TYPED = {
    "name": "Other name", "mail": "other@example.org", "phone": "456", "order": "sender", "q": "subject:ann",
    "zone": "Asia/Tokyo", "size": "normal", "pictures": "on", "start": "unread", "sort": "sender", "quoting": "yes",
    "language": "fr", "signature": "Mine", "quick": "Never.", "yes": "1", "subject": "Other subject",
    "text": "Other words", "to": "carol@example.org",
}  # fmt: skip
#: Endpoints that store another thing when something else was typed.
SAVING = {
    "contacts.new", "contacts.edit", "identities.identity", "identities.signature", "identities.quick_reply",
    "favourites.favourite", "settings.device", "settings.reading", "settings.language", "zone.change", "view.choose",
    "search.run", "vcards.import_vcards", "folder.make",
}  # fmt: skip
#: What would obstruct the others: folders that go, pages in another language.
LAST = {"folder.change", "settings.language"}
#: The question for one more mail.
QUESTION = "Send this one too?"
SECOND = b"x" * 32


@dataclass
class Post:
    """One form, ready to be posted with a ticket."""

    endpoint: str
    path: str
    multipart: bool
    form: dict[str, str]
    other: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.endpoint} {self.path}{' as files' * self.multipart} {self.form.get('do', '')}".strip()


@pytest.fixture
def gateway(dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path) -> Iterator[Gateway]:
    with opened(dovecot, smtp_server, tmp_path) as made:
        yield made


def _posts(gateway: Gateway) -> Iterator[tuple[str, str, bool, dict[str, str]]]:
    """Yield every form, and for a mail being written each of its buttons; what deletes a thing comes last."""
    found = [(*post, {}) for post in posts(gateway) if post[0] not in FREE]
    for endpoint, path, multipart, _more in tuple(found):
        if endpoint == "write.new" or (endpoint == "compose.send_reply" and path.count(".") == 1):
            found += [
                (endpoint, path, multipart, {"do": word}) for word in ("save", "more", "attach", "leave")
            ]
        if endpoint == "bulk.submit":
            found.append((endpoint, path, multipart, {"do": "read"}))
    yield from sorted(found, key=lambda post: (post[0] in LAST, "remove" in post[0], post[1].endswith(".x")))


def _prepared(gateway: Gateway, session: Session, post: tuple[str, str, bool, dict[str, str]]) -> Post:
    endpoint, path, multipart, more = post
    if endpoint == "undo.submit":
        box = gateway.samples["numbers"]["INBOX"]
        gateway.samples["of"] = gateway.done(session, f"/x{box}.1.j")
    form = form_of(gateway, endpoint, path, session.ticket()) | more
    other = form | {name: value for name, value in TYPED.items() if name in form}
    if endpoint == "vcards.import_vcards":
        form["text"] = VCARD.replace("oe", f"o{multipart}")
        other["text"] = VCARD.replace("oe", f"a{multipart}")
    elif endpoint == "attach_mail.attach":
        other["s"] = "2"
    elif endpoint == "bulk.submit":
        other["do"] = "unflag"
    elif (
        endpoint == "message_actions.submit"
    ):  # what has no field of its own is told apart by anything that is posted
        other = form | {"more": "1"}
    return Post(endpoint, path, multipart, form, other)


def _acts(gateway: Gateway) -> tuple[int, int]:
    """Count what was done for a ticket, and what was sent for one."""
    with closing(sqlite3.connect(gateway.database)) as connection:
        tickets, journal = (
            connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in ("tickets", "journal")
        )
    return tickets, journal


def _said(answer: Answer) -> str:
    """Return what a page says, without what is different on each page: tickets, names of acts and fields, times.

    Nor with its title: whoever has saved an answer once is shown a draft.
    """
    plain = answer.body
    for odd in (
        rb'value="[\w-]{16,22}"',
        rb"(?<=[?&;])(?:c|of|t)=[\w-]+",
        rb"\bv[0-9a-z]{5}",
        rb"\b\d\d:\d\d\b",
        rb"<(title|h1)>[^<]*|(?<=<card )[^>]*",
    ):
        plain = re.sub(odd, b"", plain)
    return plain.decode("utf-8", "replace")


@pytest.mark.long
@pytest.mark.parametrize("markup", one_of(HANDHELDS, "xhtml"))
def test_the_same_is_a_repeat_and_anything_else_is_another_act(gateway: Gateway, markup: str) -> None:
    faults, acting, mailing = [], set(), set()
    for each in _posts(gateway):
        session = gateway.session(markup=markup)
        post = _prepared(gateway, session, each)

        def ask(to: Gateway, form: dict[str, str], post: Post = post, session: Session = session) -> Answer:
            return to.ask("POST", post.path, session, markup, form, post.multipart)

        none, before = _acts(gateway), gateway.look()
        first = ask(gateway, post.form)
        once, seen = _acts(gateway), gateway.look()
        mails, acts = once[1] - none[1], once[0] - none[0]
        if mails + acts != 1:
            if not _harmless(post, changed(unread(before), unread(seen))):
                faults.append(f"{post}: {acts} acts and {mails} mails for one request")
            continue
        acting.add(post.endpoint)
        with started_again(gateway) as restarted:
            backwards = dict(reversed(post.form.items()))
            if "text" in backwards:
                backwards["text"] = backwards["text"].replace("\r\n", "\n")
            for what, answer in (
                ("a repeat", ask(gateway, post.form)),
                ("the same in another order", ask(gateway, backwards)),
                ("a repeat after a restart", ask(restarted, post.form)),
            ):
                if _said(answer) != _said(first) and post.endpoint != "attach_mail.attach":
                    faults.append(f"{post}: {what} is told something else")
        if _acts(gateway) != once:
            faults.append(f"{post}: a repeat is an act of its own")
        if found := changed(unread(seen), unread(gateway.look())):
            faults.append(f"{post}: a repeat changes {found}")
        other = ask(gateway, post.other)
        if mails:
            mailing.add(post.endpoint)
            if len(gateway.smtp.accepted) != seen["sent"]:
                faults.append(f"{post}: one more mail is sent without having been asked about")
            if QUESTION.encode() not in other.body or _acts(gateway) != once:
                faults.append(f"{post}: one more mail is not asked about")
            elif markup == "xhtml":
                _answer_yes(gateway, session, post, other)
                if len(gateway.smtp.accepted) != seen["sent"] + 1:
                    faults.append(f"{post}: one more mail is not sent when it is wanted")
        else:
            if _acts(gateway) != (once[0] + 1, once[1]):
                faults.append(f"{post}: something else is no act of its own")
            if post.endpoint in SAVING and not changed(seen, gateway.look(), {"tickets"}):
                faults.append(f"{post}: something else is not saved")
    assert not faults, "\n".join(faults)
    endpoints = {endpoint for endpoint, _path, _multipart in posts(gateway)}
    assert endpoints - FREE - acting == set(), "these requests are nobody's act"
    assert {
        "compose.send_reply",
        "compose.send_forward",
        "drafts.submit",
        "invitation.submit",
        "quick.send",
        "unsubscribe.submit",
        "write.send",
    } <= mailing


def _harmless(post: Post, found: list[str]) -> bool:
    """Return whether a request rightly did nothing: a button that only shows a page, a form without its file."""
    return not found or (post.form.get("do") in ("more", "attach", "leave") and "Drafts" not in found)


def _answer_yes(gateway: Gateway, session: Session, post: Post, asked: Answer) -> None:
    """Press the button of the question: what was typed is on the page, and is sent with its new ticket."""
    root = etree.fromstring(asked.body)
    forms = [one for one in root.iter("{*}form") if one.xpath(".//*[@name='ticket']")]
    form, others = forms[0], forms[1:]
    assert not others or post.endpoint == "invitation.submit"  # which has one for each answer
    fields = {
        one.get("name"): (one.text or "") if one.tag.endswith("textarea") else one.get("value", "")
        for one in form.iter("{*}input", "{*}textarea")
        if one.get("name") and one.get("type") != "submit"
    }
    assert fields["ticket"] != post.form["ticket"]
    if post.endpoint in ("compose.send_reply", "drafts.submit", "write.send"):
        assert fields["text"] == post.other["text"], post
        assert fields["to"] == post.other["to"], post
    there = urlsplit(urljoin(f"http://pp.example/~{session.token}{post.path}", form.get("action")))
    gateway.ask("POST", there.path.removeprefix(f"/~{session.token}"), session, form=fields)


@pytest.mark.long
@pytest.mark.parametrize("markup", one_of(HANDHELDS, "wml"))
def test_a_repeat_after_another_secret_does_nothing_and_offers_nothing_that_was_sent(
    gateway: Gateway, markup: str
) -> None:
    done = []
    for each in _posts(gateway):
        session = gateway.session(markup=markup)
        post = _prepared(gateway, session, each)
        none = _acts(gateway)
        gateway.ask("POST", post.path, session, markup, post.form, post.multipart)
        done.append((session, post, _acts(gateway)[1] > none[1]))
    before, faults = gateway.look(), []
    with started_again(gateway, SECOND) as rotated:
        for session, post, mailed in done:
            answer = rotated.ask("POST", post.path, session, markup, post.form, post.multipart)
            if b"password" not in answer.body:
                faults.append(f"{post}: a repeat is not asked to sign in")
            if mailed and b"Your text is kept" in answer.body:
                faults.append(f"{post}: what was sent is kept as if it were not")
            other = rotated.ask("POST", post.path, session, markup, post.other, post.multipart)
            if mailed and "text" in post.other and b"Your text is kept" not in other.body:
                faults.append(f"{post}: another mail is lost")
        assert not faults, "\n".join(faults)
        assert not changed(before, rotated.look(), {"tickets", "ended", "kept", "journal"})
        told = rotated.sessions.open(
            ME, "secret", device="", markup=markup, user_agent=HANDHELDS[markup]["User-Agent"], language="en",
            via="url", remote="192.0.2.1",
        )  # fmt: skip
        page = rotated.ask("GET", "/o", told, markup).body
        assert page.count(b"Sent.") > 1
        assert b"not certain" not in page
