"""A gateway with one of everything, and all of its addresses: for tests that check every screen for the same thing.

Nothing here may name a screen without need: the addresses come from the app itself, so a new screen is checked like all
others. Those that need something of their own are in the tables.
"""

from __future__ import annotations

import imaplib
import itertools
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask

from gateway.access.session import Session
from gateway.access.sessions import Sessions
from gateway.addresses import ListPositionCode, ViewCode
from gateway.app import create_app
from gateway.config import Config
from gateway.rendition.blocks import Position
from gateway.sealed.link_ids import Link
from tests import rig
from tests.devices.phones import Answer, in_process
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

ORIGIN = "http://pp.example:8080"
SECRET = b"k" * 32
ME, OTHER = "everything@example.net", "somebody@example.net"
FOLDERS = ("INBOX", "Drafts", "Sent", "Trash", "Junk", "Private folder")
#: Messages in the inbox: each POST has one of its own.
COUNT = 40
#: The draft that a screen is about, by UID.
DRAFTS = {
    "drafts.resume": 1, "drafts.submit": 1, "drafts.files": 2, "drafts.submit_files": 2,
    "attach_mail.messages": 3, "attach_mail.folders": 3, "attach_mail.parts": 3, "attach_mail.attach": 3,
}  # fmt: skip
#: A word that nobody else may ever see.
MARK = "zanzibar"
WML = {"Accept": "text/vnd.wap.wml", "User-Agent": "Nokia7110/1.0 (04.84)"}
XHTML = {"Accept": "application/xhtml+xml", "User-Agent": "Mozilla/5.0 (Mobile; rv:48.0) KAIOS/2.5"}
HANDHELDS = {"wml": WML, "xhtml": XHTML}
MULTIPART_MARK = "pocketpostboundary"

#: What is posted to all of them.
FORM = {
    "name": "Fresh name", "mail": "new@example.org", "phone": "123", "organisation": "", "note": "",
    "order": "subject", "filter": "u", "q": "subject:lunch", "in": "all", "zone": "Asia/Tokyo", "find": "Tokyo",
    "size": "small", "pictures": "off", "start": "folders", "sort": "size", "quoting": "no", "language": "de",
    "address": ME, "reply_to": "", "signature": "Yours", "quick": "Certainly.", "yes": "0", "seen": "none",
    "to": "bob@example.org", "subject": "Fresh subject", "text": "Fresh words", "answer": "ACCEPTED",
}  # fmt: skip
VCARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zoe\r\nEMAIL:zoe@example.org\r\nEND:VCARD\r\n"


def mail(number: int) -> bytes:
    return (
        f"From: Ann <ann{number}@example.org>\r\nTo: {ME}\r\nSubject: Lunch {number} {MARK}\r\n"
        f"Message-ID: <{number}@example.org>\r\nDate: Tue, 3 Nov 2026 14:{number:02}:00 +0100\r\n"
        "List-Unsubscribe: <mailto:leave@example.org>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n"
        f"Words of {MARK}. mailto:{MARK}@example.org\r\n--x\r\nContent-Type: text/plain\r\n"
        f"Content-Disposition: attachment; filename={MARK}.txt\r\n\r\nA file of {MARK}.\r\n--x\r\n"
        "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n"
        f"UID:{number}\r\nSUMMARY:Lunch of {MARK}\r\nORGANIZER:mailto:ann{number}@example.org\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n--x--\r\n"
    ).encode()


@dataclass
class Gateway:
    """One gateway, and everything that it can change: mailboxes, what was sent, its database."""

    app: Flask
    sessions: Sessions
    dovecot: Dovecot
    smtp: SmtpServer
    database: Path
    config: Config
    samples: dict[str, Any] = field(default_factory=dict)
    uids: Iterator[int] = field(default_factory=lambda: itertools.cycle(range(3, COUNT + 1)))

    def session(self, user: str = ME, markup: str = "xhtml") -> Session:
        agent = HANDHELDS[markup]["User-Agent"]
        return self.sessions.open(
            user,
            "secret",
            device="",
            markup=markup,
            user_agent=agent,
            language="en",
            via="url",
            remote="192.0.2.1",
        )

    def ask(
        self, method: str, path: str, session: Session | None, markup: str = "xhtml",
        form: dict[str, str] | None = None, multipart: bool = False, more: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        headers = HANDHELDS[markup] | (more or {})
        token = f"/~{session.token}" if session is not None else ""
        body = urlencode(form or {}).encode()
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if multipart:
            headers["Content-Type"] = f"multipart/form-data; boundary={MULTIPART_MARK}"
            body = _multipart(form or {})
        return in_process(self.app)(method, ORIGIN + token + path, headers, body)

    def done(self, session: Session, path: str) -> str:
        """Do a thing to a message that can be undone; return the operation's name."""
        self.ask("POST", path, session, session.markup, {"ticket": session.ticket()})
        return str(session.memory.get("undo")["of"])  # type: ignore[index]

    def look(self) -> dict[str, Any]:
        """Return everything that a request could change, except what each of them touches."""
        return {**self._mailboxes(), "sent": len(self.smtp.accepted), **self._tables()}

    def _mailboxes(self) -> dict[str, Any]:
        connection = imaplib.IMAP4(self.dovecot.host, self.dovecot.ports["imap"])
        connection.login(ME, "secret")
        try:
            found: dict[str, Any] = {
                # The attributes say what is new in a folder, and are not part of it.
                "folders": sorted(line.partition(b") ")[2] for line in connection.list()[1]),
                "subscribed": sorted(line.partition(b") ")[2] for line in connection.lsub()[1]),
            }
            for folder in FOLDERS:
                if connection.select(f'"{folder}"', readonly=True)[0] == "OK":
                    found[folder] = sorted(connection.uid("FETCH", "1:*", "(UID FLAGS)")[1] or [], key=repr)
            return found
        finally:
            connection.logout()

    def _tables(self) -> dict[str, Any]:
        with closing(sqlite3.connect(self.database)) as connection:
            names = [
                row[0] for row in connection.execute("select name from sqlite_master where type='table'")
            ]
            return {
                f"table {name}": sorted(map(repr, connection.execute(f"select * from {name}")))
                for name in names
                if name not in TOUCHED
            }


#: Tables that showing a page changes: the links on it, numbers of mailboxes, sessions' clocks.
TOUCHED = {"links", "mailboxes", "sessions", "tries"}
#: And those that reading or searching changes: places, senders, searches; tickets alone have no effect.
READ = TOUCHED | {"reading"}


def _multipart(form: dict[str, str]) -> bytes:
    parts = "".join(
        f'--{MULTIPART_MARK}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form.items()
    )
    file = f'--{MULTIPART_MARK}\r\nContent-Disposition: form-data; name="file1"; filename="a.txt"\r\n\r\nA file.\r\n'
    return f"{parts}{file}--{MULTIPART_MARK}--\r\n".encode()


@contextmanager
def opened(dovecot: Dovecot, smtp: SmtpServer, folder: Path) -> Iterator[Gateway]:
    """Set everything up, anew."""
    for user in (ME, OTHER):
        shutil.rmtree(dovecot.home(user), ignore_errors=True)
        dovecot.user(user)
    for number in range(COUNT, 0, -1):
        dovecot.deliver(ME, mail(number))
    dovecot.deliver(OTHER, b"From: ann@example.org\r\nSubject: Hello\r\n\r\nHello.\r\n")
    dovecot.deliver(ME, mail(1), "Private folder")
    dovecot.deliver(ME, mail(2), "Trash")
    for number in (3, 4, 5):  # the first of them is sent
        dovecot.deliver(ME, mail(number), "Drafts", "D")
    config = rig.config(rig.upstream(dovecot, smtp))
    with _joined(config, dovecot, smtp, folder / "state.sqlite", SECRET) as made:
        made.samples = _furnished(made)
        yield made


@contextmanager
def started_again(gateway: Gateway, secret: bytes = SECRET) -> Iterator[Gateway]:
    """Be the same gateway after a restart, with only its database and a secret."""
    with _joined(gateway.config, gateway.dovecot, gateway.smtp, gateway.database, secret) as made:
        made.samples = gateway.samples
        yield made


@contextmanager
def _joined(
    config: Config, dovecot: Dovecot, smtp: SmtpServer, database: Path, secret: bytes
) -> Iterator[Gateway]:
    with rig.sessions(config, database, secret) as sessions:
        yield Gateway(create_app(config, sessions=sessions), sessions, dovecot, smtp, database, config)


def _furnished(gateway: Gateway) -> dict[str, Any]:
    """Make one of everything, and return what addresses are made from."""
    session = gateway.session()
    numbers = {}
    with session.store() as store:
        for name in FOLDERS:
            numbers[name] = session.mailboxes.number(name, store.folder(name).uidvalidity)
    for path, more in (
        ("/tn", {"name": MARK, "mail": f"{MARK}@example.org"}),
        ("/q", {"q": MARK, "in": "all"}),
        ("/q", {"q": f"{MARK} subject:lunch", "in": "all"}),
        ("/sm0", {"name": MARK, "address": ME}),
        ("/sq0", {"quick": f"Off to {MARK}."}),
    ):
        answer = gateway.ask("POST", path, session, form=FORM | more | {"ticket": session.ticket()})
        assert answer.status == 200, path
    gateway.ask("POST", "/q1.k", session, form={"ticket": session.ticket()})
    found = Link(f"mailto:{MARK}@example.org", MARK, session.device, session.markup, session.language)
    key = session.links.id(found, session.token)
    session.links.keep({key: found})
    assert session.memory.get("favourite", "f1")
    assert session.memory.get("contacts")
    # What leads to a message needs the place of each folder; "Private folder" is what can be changed.
    return {
        "numbers": numbers, "key": key, "mark": session.memory.mark("Junk"),
        "common": {
            "page": 2, "position": Position(), "section": "2", "quick": 1, "top": 3, "row": 1, "key": key,
            "box": numbers["INBOX"], "message": 2,
            "view": ViewCode.decode("su"), "start": ListPositionCode.decode("1-1"),
        },
    }  # fmt: skip


def addresses(gateway: Gateway, method: str) -> list[tuple[str, str]]:
    """Return endpoint and path of everything that answers a method, with all words that an address knows."""
    found = []
    with gateway.app.test_request_context("/"):
        for rule in gateway.app.url_map.iter_rules():
            if method not in (rule.methods or ()):
                continue
            for values in _values(gateway, rule):
                built = rule.build(values, append_unknown=False)
                assert built is not None, rule
                found.append((rule.endpoint, built[1]))
    return found


def _values(gateway: Gateway, rule: Any) -> Iterator[dict[str, Any]]:
    values = {name: gateway.samples["common"].get(name) for name in rule.arguments}
    words = {
        name: converter.items
        for name, converter in rule._converters.items()
        if hasattr(converter, "items") and name in rule.arguments
    }
    if "name" in values and "name" not in words:
        values["name"] = (
            "f1" if rule.endpoint.startswith("favourites") else 2 if rule.endpoint == "search.keep" else 1
        )
    if "number" in values:
        values["number"] = _number(gateway, rule)
    if "uid" in values:
        values["uid"] = DRAFTS.get(rule.endpoint) or next(gateway.uids)
    if not words:
        yield values
        return
    ((name, choices),) = words.items()
    for choice in choices:
        special = "Trash" if rule.endpoint.startswith("folder.") and choice == "e" else None
        number = {"number": gateway.samples["numbers"][special]} if special else {}
        uid = {"uid": next(gateway.uids)} if "uid" in values else {}
        yield values | {name: choice} | number | uid


def _number(gateway: Gateway, rule: Any) -> int:
    blueprint = rule.endpoint.partition(".")[0]
    if blueprint == "folder":
        return int(gateway.samples["numbers"]["Private folder"])
    if blueprint in ("drafts", "attach_mail"):
        return int(gateway.samples["numbers"]["Drafts"])
    if blueprint in ("identities", "stored_data") or (
        blueprint == "contacts" and "uid" not in rule.arguments
    ):
        return 1
    return int(gateway.samples["numbers"]["INBOX"])


def form_of(gateway: Gateway, endpoint: str, path: str, ticket: str) -> dict[str, str]:
    form = FORM | {"ticket": ticket, "keep": ticket}
    if endpoint == "message_actions.submit" and path.endswith((".m", ".c")):
        form["to"] = gateway.samples["mark"]
    if endpoint == "bulk.submit":
        box = gateway.samples["numbers"]["INBOX"]
        form |= {"do": "flag", "u": f"{box}.1;{box}.2", "all": "t"}
    if path.endswith(".r"):  # for a mail that is redirected only the recipients are typed
        del form["subject"], form["text"]
    if endpoint == "undo.submit":
        form["of"] = gateway.samples["of"]
    if endpoint == "vcards.import_vcards":
        form["text"] = VCARD
    return form


def _path(path: str) -> str:
    return path + (
        "?n=99" if path.endswith(".d") and path.startswith("/z") else "?u=99" if path.startswith("/z") else ""
    )


def posts(gateway: Gateway) -> list[tuple[str, str, bool]]:
    found = [(endpoint, _path(path), False) for endpoint, path in addresses(gateway, "POST")]
    # The page of a draft accepts its files with another kind of form.
    return found + [
        (endpoint, path, True)
        for endpoint, path, _ in found
        if endpoint in ("drafts.submit_files", "vcards.import_vcards")
    ]


def changed(before: dict[str, Any], after: dict[str, Any], but: set[str] = frozenset()) -> list[str]:
    without = {f"table {name}" for name in but}
    return [name for name in before | after if before.get(name) != after.get(name) and name not in without]


def unread(seen: dict[str, Any]) -> dict[str, Any]:
    """Return a state as if everything in it had been read."""
    return {
        name: [
            re.sub(rb" ?\\(?:Seen|Recent)", b"", each).replace(b"( ", b"(")
            if isinstance(each, bytes)
            else each
            for each in value
        ]
        if name in FOLDERS
        else value
        for name, value in seen.items()
    }
