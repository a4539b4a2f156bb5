"""The page of one link: its text, its real target, and the link itself.

Nothing here may redirect, fetch, or need a session: the page's address is a short id that holds no token, and its
links are plain URLs, so no address of ours redirects elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from gateway.device import WML, identify
from gateway.language import Language
from gateway.markup.keys import KEYS
from gateway.markup.screen import PREVIOUS_PAGE, Action, Life, Screen, shorten
from gateway.message.headers.header_fields import clean
from gateway.rendition.links import trackers
from gateway.rendition.links.destinations import named_elsewhere
from gateway.rendition.links.trackers import ResolvedLink
from gateway.sealed.link_ids import Link
from gateway.web.request.fitted_list import first_fitting
from gateway.web.request.respond import respond
from gateway.web.request.screens import inbox_action, make_screen, notice_screen
from gateway.web.request.visit import Visit, current

links = Blueprint("links", __name__)

#: Lines of a small screen for the link's text and its URL; the full URL is in the link.
_LINES: Final = 4
#: Maximum characters of both on larger screens.
_LONGEST: Final = 200


@links.get("/l/<key:key>")
def page(key: str) -> Response:
    """Show where a link leads."""
    visit = current()
    found = visit.sessions.links.find(key)
    if found is None:
        return respond(_unknown(visit))
    # There is no session here: the page looks like those of the session that showed the link.
    visit.device = identify(dict(request.headers.items()), found.markup, found.device, visit.overrides)
    visit.language = Language(found.language, ZoneInfo(visit.config.timezone))
    resolved = trackers.follow(found.url)
    return respond(_unreadable(visit, found) if resolved is None else _fitting_screen(visit, found, resolved))


def _fitting_screen(visit: Visit, found: Link, resolved: ResolvedLink) -> Screen:
    """Make the screen with as many links as the device's page can hold, and at least a sentence."""
    screens = (_screen(visit, found, resolved, actions) for actions in _action_choices(visit, resolved))
    return first_fitting(screens, visit.fits)


def _action_choices(visit: Visit, resolved: ResolvedLink) -> Iterator[tuple[Action, ...]]:
    """Yield the possible actions, the best first; a URL that is also on a softkey takes space twice."""
    _ = visit.language.gettext
    straight = Action(_("Open"), resolved.target.url, KEYS["Open"], "accept")
    as_sent = Action(_("Open as sent"), resolved.original.url, KEYS["Open as sent"])
    if resolved.original.url != resolved.target.url:
        yield straight, as_sent
        yield replace(straight, soft=""), as_sent
    yield (straight,)
    yield (replace(straight, soft=""),)
    yield ()


def _screen(visit: Visit, found: Link, resolved: ResolvedLink, actions: tuple[Action, ...]) -> Screen:
    _ = visit.language.gettext
    target = resolved.target
    warnings = [*_warnings(visit, found, resolved)]
    if not actions:
        text = _("The address is too long for this device: %(count)s characters.")
        warnings.append(text % {"count": visit.language.number(len(target.url))})
    width = visit.device.columns * _LINES if visit.device.markup == WML else _LONGEST
    text = clean(found.text)
    address = target.url.partition("://")[2].rpartition("@")[2] if target.login else target.url
    values = {
        "text": "" if text in (found.url, target.url) else shorten(text, width),
        "warnings": warnings,
        "host": target.host,
        "also": target.ascii_host if target.ascii_host != target.host else "",
        "address": shorten(address, width),
        "notes": [*_notes(visit, resolved), *_told_way_back(visit)],
    }
    return make_screen(visit, "link", _("Link"), values, (*actions, *_way_back(visit)), life=Life.PRIVATE)


def _way_back(visit: Visit) -> tuple[Action, ...]:
    """Return the way back: in WML the browser's own, to the exact page; otherwise by the session, if a cookie names it.

    Without cookies the address of the message contains the token, which must not be on a page whose own address is
    revealed to strangers: there `_told_way_back` says how to get back.
    """
    if visit.device.markup == WML:
        return (Action(visit.language.gettext("Back"), PREVIOUS_PAGE, KEYS["Back"]),)
    return (inbox_action(visit),) if visit.session is not None else ()


def _told_way_back(visit: Visit) -> Iterator[str]:
    if visit.device.markup != WML and visit.session is None:
        yield visit.language.gettext("The back key of your device leads back to the message.")


def _warnings(visit: Visit, found: Link, resolved: ResolvedLink) -> Iterator[str]:
    """Yield warnings about a misleading link."""
    _ = visit.language.gettext
    target = resolved.target
    named = named_elsewhere(found.text, target)
    if named:
        text = _("The text names %(named)s, but the link leads to %(host)s.")
        yield text % {"named": named, "host": target.host}
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


def _notes(visit: Visit, resolved: ResolvedLink) -> Iterator[str]:
    _ = visit.language.gettext
    if resolved.through:
        yield _("As sent, it goes through %(hosts)s.") % {"hosts": ", ".join(dict.fromkeys(resolved.through))}
    if resolved.unknown:
        yield _("%(host)s counts clicks and hides where the link leads.") % {"host": resolved.target.host}


def _unreadable(visit: Visit, found: Link) -> Screen:
    _ = visit.language.gettext
    lines = (
        shorten(clean(found.text), _LONGEST),
        shorten(clean(found.url), _LONGEST),
        *_told_way_back(visit),
    )
    sentence = _("This link does not lead anywhere.")
    return notice_screen(visit, _("Link"), sentence, _way_back(visit), lines, life=Life.PRIVATE)


def _unknown(visit: Visit) -> Screen:
    _ = visit.language.gettext
    sentence = _("This link has expired. Open the message again.")
    lines = tuple(_told_way_back(visit))
    return notice_screen(visit, _("Link"), sentence, _way_back(visit), lines, life=Life.NEVER, status=410)
