"""Unsubscribing from a mailing list: confirmed first, done once, and its outcome reported.

Nothing here may contact a list's server before the person has confirmed, or report success unless the server has
accepted. RFC 8058 (one click), RFC 2369 §3.2 (a mail, a web page).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from flask import Blueprint, Response, current_app

from gateway.access.idempotency import UNKNOWN, PostOutcome, do_once
from gateway.access.outcomes import RESULT, SENTENCE, STATUS, ResultCode
from gateway.composing import canned
from gateway.composing.author import Author
from gateway.errors import BadRequest, GatewayError, NotFound, OutboundUncertain
from gateway.markup.keys import KEYS
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers import mailto
from gateway.message.headers.header_fields import clean, safe_spec
from gateway.message.headers.mailto import Mailto, Unsubscribe
from gateway.message.model import Address, Message
from gateway.outbound import Outbound
from gateway.rendition.links.destinations import Destination, read
from gateway.sending import outbox
from gateway.sending.outbox import Mail
from gateway.store.base import MailStore
from gateway.web.entry import mail_outcomes, own_copies
from gateway.web.mailbox.ways_back import ways_back
from gateway.web.message.message_screen import MessageAddress, reference
from gateway.web.request.form_bodies import Fields
from gateway.web.request.mail_author import author
from gateway.web.request.mail_links import keep_links, link_id
from gateway.web.request.respond import respond
from gateway.web.request.screens import notice_screen, question_screen
from gateway.web.request.visit import Visit, current, link, sessionless_link

unsubscribe = Blueprint("unsubscribe", __name__)

#: The form of RFC 8058 §3.1.
_FORM: Final = {"List-Unsubscribe": "One-Click"}
#: Where `create_app` stores the HTTP client.
EXTENSION: Final = "pocketpost.outbound"
#: Characters of a mail that are shown before it is sent; a mail with a longer text is not offered, since it could not
#: be shown in full.
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class UnsubscribeMethods:
    """The available methods to unsubscribe from one list."""

    one_click: Destination | None = None
    mail: Mailto | None = None
    web: Destination | None = None
    url: str = ""


@unsubscribe.get("/u<int:number>.<int:uid>")
def ask(number: int, uid: int) -> Response:
    """Ask whether to unsubscribe, naming who will be told."""
    visit = current()
    address = MessageAddress(number, uid)
    return respond(_question(visit, address, _methods(visit, _found(visit, address))))


@unsubscribe.post("/u<int:number>.<int:uid>")
def submit(number: int, uid: int) -> Response:
    """Unsubscribe, once."""
    visit = current()
    address, form = MessageAddress(number, uid), visit.form()
    post = visit.ticketed_post(form)
    methods = _methods(visit, _found(visit, address))
    if own_copies.is_wanted(form):
        return _copy(visit, address, methods, form)
    outbound = _outbound()
    if methods.one_click is not None and outbound is not None:
        url = methods.one_click.url
        return _one_click_notice(
            visit, address, methods, do_once(visit.signed_in, post, lambda: _post_one_click(outbound, url))
        )
    if methods.mail is None:
        raise BadRequest("no way to unsubscribe")
    outcome = canned.send(author(visit), post, *_mail(methods.mail))
    if outcome.kind == outbox.ASKED:
        return respond(_question(visit, address, methods, mail_outcomes.outcome_text(visit, outcome)))
    target = link("unsubscribe.submit", **address.values())
    copying = own_copies.offer(visit, outcome, target, {}, post.ticket, "1")
    return _mail_notice(visit, address, methods, outcome, copying)


def _mail(suggested: Mailto) -> tuple[Sequence[Address], str, str]:
    """Return the recipients, the subject and the text of a mail that unsubscribes."""
    return suggested.to[:1], suggested.subject or "unsubscribe", suggested.text or "unsubscribe"


def _copy(visit: Visit, address: MessageAddress, methods: UnsubscribeMethods, form: Fields) -> Response:
    """Send oneself a copy of the mail that unsubscribed."""

    def make(writer: Author, store: MailStore, _fields: Mapping[str, str], page: str) -> Mail:
        if methods.mail is None:
            raise NotFound("what was sent")
        return canned.make(writer, store, *_mail(methods.mail), page)

    outcome = own_copies.send(visit, form, make)
    sentence, *lines = mail_outcomes.outcome_sentences(visit, outcome)
    return _notice(visit, address, methods, sentence, lines)


def _found(visit: Visit, address: MessageAddress) -> Message:
    with visit.signed_in.store() as store:
        return store.structure(reference(visit, address))


def _outbound() -> Outbound | None:
    return cast("Outbound | None", current_app.extensions[EXTENSION])


def _methods(visit: Visit, found: Message) -> UnsubscribeMethods:
    header: Unsubscribe = mailto.unsubscribe(found)
    one_click = read(header.one_click) if header.one_click and _outbound() is not None else None
    mail = header.mail if header.mail and len(header.mail.text) <= _SHOWN else None
    return UnsubscribeMethods(one_click, mail, read(header.web) if header.web else None, header.web)


def _post_one_click(outbound: Outbound, url: str) -> PostOutcome:
    """Post the one-click request to the list's server; return the outcome in msgids."""
    try:
        status = outbound.post_form(url, _FORM)
    except OutboundUncertain as error:
        return {RESULT: ResultCode.UNCERTAIN, SENTENCE: error.sentence}
    except GatewayError as error:
        return {RESULT: ResultCode.NOT_DONE, SENTENCE: error.sentence}
    return {
        RESULT: ResultCode.UNSUBSCRIBED if 200 <= status < 300 else ResultCode.DECLINED,
        STATUS: str(status),
    }


def _question(visit: Visit, address: MessageAddress, methods: UnsubscribeMethods, asked: str = "") -> Screen:
    """Ask whether to unsubscribe; `asked` is a question from the outbox, to be asked first."""
    _ = visit.language.gettext
    lines: list[str] = []
    if methods.one_click is not None:
        sentence = _("Unsubscribe? %(host)s will be told.") % {"host": _host(methods.one_click)}
    elif methods.mail is not None:
        sentence = _("Unsubscribe? This message will be sent to %(address)s:") % {
            "address": safe_spec(methods.mail.to[0].spec)
        }
        lines = [clean(text) for text in (methods.mail.subject or "unsubscribe", methods.mail.text) if text]
    elif methods.web is not None:
        sentence = _("To leave this list, open its page on %(host)s.") % {"host": _host(methods.web)}
    else:
        sentence = _("This message does not say how to unsubscribe.")
    can_act = methods.one_click is not None or methods.mail is not None
    target = link("unsubscribe.ask", **address.values()) if can_act else ""
    question, actions = f"{asked} {sentence}".strip(), _actions(visit, address, methods)
    return question_screen(visit, _("Unsubscribe"), question, target, actions, lines=lines)


def _host(target: Destination) -> str:
    return shorten(target.ascii_host if target.suspect else target.host, 100)


def _actions(visit: Visit, address: MessageAddress, methods: UnsubscribeMethods) -> tuple[Action, ...]:
    _ = visit.language.gettext
    actions = []
    if methods.web is not None:
        text = _("Unsubscribe")
        keep_links(visit, [(methods.url, text)])
        actions.append(
            Action(
                _("On the web"),
                sessionless_link(f"l/{link_id(visit, methods.url, text)}"),
                KEYS["On the web"],
            )
        )
    return (*actions, *ways_back(visit, address.number, address.uid))


def _one_click_notice(
    visit: Visit, address: MessageAddress, methods: UnsubscribeMethods, result: PostOutcome
) -> Response:
    """Report the response of the list's server, and no more."""
    _ = visit.language.gettext
    outcome = result.get(RESULT)
    if outcome == ResultCode.UNSUBSCRIBED:
        sentence = _("The list's server accepted your request to unsubscribe.")
    elif outcome == ResultCode.DECLINED:
        sentence = _("The list's server did not accept it: status %(status)s.") % {"status": result[STATUS]}
    elif outcome == ResultCode.NOT_DONE:
        sentence = _("Not unsubscribed.") + " " + _(result[SENTENCE])
    else:
        sentence = _(result[SENTENCE] if outcome == ResultCode.UNCERTAIN else result[UNKNOWN])
    return _notice(visit, address, methods, sentence)


def _mail_notice(
    visit: Visit,
    address: MessageAddress,
    methods: UnsubscribeMethods,
    outcome: outbox.Outcome,
    copying: Sequence[Action] = (),
) -> Response:
    """Report the outcome of the mail to the list."""
    if outcome.kind == outbox.NOT_SENT:
        sentence = visit.language.gettext("Not unsubscribed.")
        return _notice(visit, address, methods, sentence, mail_outcomes.outcome_sentences(visit, outcome)[1:])
    sentence, *lines = mail_outcomes.outcome_sentences(visit, outcome)
    return _notice(visit, address, methods, sentence, lines, copying)


def _notice(
    visit: Visit,
    address: MessageAddress,
    methods: UnsubscribeMethods,
    sentence: str,
    lines: Sequence[str] = (),
    copying: Sequence[Action] = (),
) -> Response:
    title, actions = visit.language.gettext("Unsubscribe"), (*copying, *_actions(visit, address, methods))
    return respond(notice_screen(visit, title, sentence, actions, lines, life=Life.NEVER))
