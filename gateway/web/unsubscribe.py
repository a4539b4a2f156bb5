"""Leaving a list: asked first, done once, and told as it went.

Nothing here may reach a list's server before the person has said yes, or call anything done that the server has not
accepted. RFC 8058 (one click), RFC 2369 §3.2 (a mail, a web page).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from flask import Blueprint, Response, current_app

from gateway.errors import BadRequest, GatewayError, OutboundUncertain
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message import mailto
from gateway.message.headers import clean, safe_spec
from gateway.message.mailto import Mailto, Unsubscribe
from gateway.message.model import Message
from gateway.outbound import Outbound
from gateway.rendition.targets import Target, read
from gateway.web import sending
from gateway.web.message import Place, reference
from gateway.web.respond import respond
from gateway.web.sending import NOT_SENT
from gateway.web.visit import Visit, current, link, list_link, outside

unsubscribe = Blueprint("unsubscribe", __name__)

#: The form of RFC 8058 §3.1.
_FORM: Final = {"List-Unsubscribe": "One-Click"}
#: Where `create_app` leaves the way out.
EXTENSION: Final = "pocketpost.outbound"
#: Characters of a mail that are shown before it is sent; one with more text is not offered, since nobody could see it.
_SHOWN: Final = 200
#: Outcomes as the ticket remembers them, besides those of a mail.
_DONE, _SAID_NO = "unsubscribed", "no"


@dataclass(frozen=True, slots=True)
class Ways:
    """What can be done about one list from here; `host` is whom the one click tells."""

    one_click: Target | None = None
    mail: Mailto | None = None
    web: Target | None = None
    url: str = ""


@unsubscribe.get("/u<int:number>.<int:uid>")
def ask(number: int, uid: int) -> Response:
    """Ask whether to leave the list, naming who will be told."""
    visit = current()
    place = Place(number, uid)
    return respond(_question(visit, place, _ways(visit, _found(visit, place))))


@unsubscribe.post("/u<int:number>.<int:uid>")
def leave(number: int, uid: int) -> Response:
    """Leave the list, once."""
    visit = current()
    session = visit.signed_in
    place = Place(number, uid)
    ticket = visit.form().get("ticket", "")
    if session.check_ticket(ticket) is None:
        raise BadRequest("a ticket that is not of this session")
    ways = _ways(visit, _found(visit, place))
    claim = session.claim(ticket)
    if claim.fresh:
        result = _leave(visit, ticket, ways)
        session.settle(ticket, result)
    else:
        result = sending.first_outcome(session, ticket, claim)
    return _told(visit, place, ways, result)


def _found(visit: Visit, place: Place) -> Message:
    with visit.signed_in.store() as store:
        return store.structure(reference(visit, place))


def _way_out() -> Outbound | None:
    return cast("Outbound | None", current_app.extensions[EXTENSION])


def _ways(visit: Visit, found: Message) -> Ways:
    said: Unsubscribe = mailto.unsubscribe(found.headers)
    one_click = read(said.one_click) if said.one_click and _way_out() is not None else None
    mail = said.mail if said.mail and len(said.mail.text) <= _SHOWN else None
    return Ways(one_click, mail, read(said.web) if said.web else None, said.web)


def _leave(visit: Visit, ticket: str, ways: Ways) -> dict[str, str]:
    """Tell the list's server, or write to its address; return the outcome in msgids."""
    way_out = _way_out()
    if ways.one_click is not None and way_out is not None:
        try:
            status = way_out.post_form(ways.one_click.url, _FORM)
        except OutboundUncertain as error:
            return {"outcome": "uncertain", "sentence": error.sentence, "filed": "yes"}
        except GatewayError as error:
            return {"outcome": NOT_SENT, "sentence": error.sentence}
        return {"outcome": _DONE if 200 <= status < 300 else _SAID_NO, "status": str(status)}
    if ways.mail is not None:
        return sending.mail(
            visit,
            ticket,
            ways.mail.to[:1],
            ways.mail.subject or "unsubscribe",
            ways.mail.text or "unsubscribe",
        )
    return {"outcome": NOT_SENT, "sentence": BadRequest.sentence}


def _question(visit: Visit, place: Place, ways: Ways) -> Screen:
    _ = visit.language.gettext
    lines: list[str] = []
    if ways.one_click is not None:
        sentence = _("Unsubscribe? This is told to %(host)s.") % {"host": _host(ways.one_click)}
    elif ways.mail is not None:
        sentence = _("Unsubscribe? This mail is sent to %(address)s:") % {
            "address": safe_spec(ways.mail.to[0].spec)
        }
        lines = [clean(text) for text in (ways.mail.subject or "unsubscribe", ways.mail.text) if text]
    elif ways.web is not None:
        sentence = _("This list is left on a page of %(host)s.") % {"host": _host(ways.web)}
    else:
        sentence = _("This message does not say how to unsubscribe.")
    acts = ways.one_click is not None or ways.mail is not None
    values = {
        "sentence": sentence,
        "lines": lines,
        "answer": _("Unsubscribe"),
        "short": _("Yes"),
        "target": link("unsubscribe.ask", **place.values()) if acts else "",
        "ticket": visit.signed_in.ticket(),
    }
    return _made(visit, "ask", _("Unsubscribe"), values, _onwards(visit, place, ways), Life.NEVER)


def _host(target: Target) -> str:
    return shorten(target.ascii_host if target.suspect else target.host, 100)


def _onwards(visit: Visit, place: Place, ways: Ways) -> tuple[Action, ...]:
    _ = visit.language.gettext
    actions = []
    if ways.web is not None:
        text = _("Unsubscribe")
        visit.signed_in.keep_links([(ways.url, text)])
        actions.append(Action(_("On the web"), outside(f"l/{visit.signed_in.link_id(ways.url, text)}"), "2"))
    actions.append(Action(_("Back"), link("message.first", **place.values()), "3"))
    actions.append(Action(_("Inbox"), list_link("mailbox.inbox"), "0"))
    return tuple(actions)


def _told(visit: Visit, place: Place, ways: Ways, result: dict[str, str]) -> Response:
    """Say what the list's server said, and no more."""
    _ = visit.language.gettext
    outcome = result["outcome"]
    onwards = _onwards(visit, place, ways)
    if outcome == _DONE:
        sentence = _("The list's server has accepted that you unsubscribe.")
    elif outcome == _SAID_NO:
        sentence = _("The list's server did not accept it: status %(status)s.") % {"status": result["status"]}
    elif outcome == NOT_SENT:
        sentence = _("Not unsubscribed.") + " " + _(result["sentence"])
    elif outcome == "sending":
        sentence = _("Under way. Look again in a moment.")
    else:
        return sending.told_again(visit, result, *(action for action in onwards if action.key != "0"))
    values = {"sentence": sentence, "lines": ()}
    return respond(_made(visit, "notice", _("Unsubscribe"), values, onwards, Life.NEVER))


def _made(
    visit: Visit, name: str, title: str, values: Mapping[str, object], actions: tuple[Action, ...], life: Life
) -> Screen:
    return Screen(
        name, title, values, actions, life=life, words=visit.language.gettext, language=visit.language.tag
    )
