"""The page of one link: its text, where it really leads, and the plain way out.

Nothing here may redirect, fetch, or need a session: the page's address is a short id that holds no token, and its
links are the plain URLs, so no address of ours leads anywhere else by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from gateway import markup
from gateway.device import WML, identify
from gateway.language import Language
from gateway.links import Link
from gateway.markup.screen import Action, Life, Screen, shorten
from gateway.message.headers import clean
from gateway.rendition import trackers
from gateway.rendition.targets import named_elsewhere
from gateway.rendition.trackers import Way
from gateway.web.respond import respond
from gateway.web.visit import Visit, current, list_link

links = Blueprint("links", __name__)

#: Lines of a small screen that the link's text and its address take; the address in full is in the link.
_LINES: Final = 4
#: Characters of both on larger screens.
_LONGEST: Final = 200


@links.get("/l/<key:key>")
def page(key: str) -> Response:
    """Show where a link leads."""
    visit = current()
    found = visit.sessions.link(key)
    if found is None:
        return respond(_unknown(visit))
    # Whoever follows a link brings no session: the page looks as those of the session that it was shown in.
    visit.device = identify(dict(request.headers.items()), found.markup, found.device)
    visit.language = Language(found.language, ZoneInfo(visit.config.timezone))
    way = trackers.follow(found.url)
    return respond(_unreadable(visit, found) if way is None else _fitting(visit, found, way))


def _fitting(visit: Visit, found: Link, way: Way) -> Screen:
    """Make the screen with as many ways out as the device's page can hold; at least one sentence says so."""
    screens = (_screen(visit, found, way, actions) for actions in _choices(visit, way))
    for screen in screens:
        if markup.size(screen, visit.device) <= visit.device.deck_limit:
            break
    return screen


def _choices(visit: Visit, way: Way) -> Iterator[tuple[Action, ...]]:
    """Yield what can be offered, the best first; a URL that is on a softkey too stands in the page twice."""
    _ = visit.language.gettext
    straight = Action(_("Open"), way.target.url, "1", "accept")
    as_sent = Action(_("Open as sent"), way.original.url, "2")
    if way.original.url != way.target.url:
        yield straight, as_sent
        yield replace(straight, soft=""), as_sent
    yield (straight,)
    yield (replace(straight, soft=""),)
    yield ()


def _screen(visit: Visit, found: Link, way: Way, actions: tuple[Action, ...]) -> Screen:
    _ = visit.language.gettext
    target = way.target
    warnings = [*_warnings(visit, found, way)]
    if not actions:
        said = _("The address is too long for this device: %(count)s characters.")
        warnings.append(said % {"count": visit.language.number(len(target.url))})
    width = visit.device.columns * _LINES if visit.device.markup == WML else _LONGEST
    text = clean(found.text)
    address = target.url.partition("://")[2].rpartition("@")[2] if target.login else target.url
    values = {
        "text": "" if text in (found.url, target.url) else shorten(text, width),
        "warnings": warnings,
        "host": target.host,
        "also": target.ascii_host if target.ascii_host != target.host else "",
        "address": shorten(address, width),
        "notes": [*_notes(visit, way)],
    }
    home = (Action(_("Inbox"), list_link("mailbox.inbox"), "0"),) if visit.session is not None else ()
    return _made(visit, "link", _("Link"), values, (*actions, *home))


def _warnings(visit: Visit, found: Link, way: Way) -> Iterator[str]:
    """Say plainly what is not as it seems."""
    _ = visit.language.gettext
    target = way.target
    named = named_elsewhere(found.text, target)
    if named:
        said = _("The text names %(named)s, but the link leads to %(host)s.")
        yield said % {"named": named, "host": target.host}
    if target.suspect:
        yield _("Letters in this name look like others. In plain letters it is %(host)s.") % {
            "host": target.ascii_host
        }
    if target.login:
        yield _("The address begins with %(name)s, which is not where it leads.") % {
            "name": shorten(clean(target.login), _LONGEST // 4)
        }
    if target.number:
        yield _("The address is a bare number, not a name.")


def _notes(visit: Visit, way: Way) -> Iterator[str]:
    _ = visit.language.gettext
    if way.through:
        yield _("As sent, it goes by way of %(hosts)s.") % {"hosts": ", ".join(dict.fromkeys(way.through))}
    if way.unknown:
        yield _("%(host)s counts clicks and does not say where it leads.") % {"host": way.target.host}


def _unreadable(visit: Visit, found: Link) -> Screen:
    _ = visit.language.gettext
    lines = (shorten(clean(found.text), _LONGEST), shorten(clean(found.url), _LONGEST))
    values = {"sentence": _("This address leads nowhere."), "lines": lines}
    return _made(visit, "notice", _("Link"), values, ())


def _unknown(visit: Visit) -> Screen:
    _ = visit.language.gettext
    values = {
        "sentence": _("This link is not known here any more. Open the message again."),
        "lines": (),
    }
    return replace(_made(visit, "notice", _("Link"), values, ()), status=410, life=Life.NEVER)


def _made(
    visit: Visit, name: str, title: str, values: Mapping[str, object], actions: tuple[Action, ...]
) -> Screen:
    return Screen(
        name,
        title,
        values,
        actions,
        life=Life.PRIVATE,
        words=visit.language.gettext,
        language=visit.language.tag,
    )
