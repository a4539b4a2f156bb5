"""Making screens in the person's language, confirmation pages, and actions that many screens share.

Nothing here may query a server, or know what a screen is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from gateway.access import log_context
from gateway.markup import style_sheet
from gateway.markup.keys import BACK_KEY, KEYS
from gateway.markup.screen import Action, Life, Screen
from gateway.web.request.visit import Visit, link, list_link, sessionless_link

#: The lowest status of errors that are not the client's (RFC 9110 §15.6).
FAILED: Final = 500


def make_screen(
    visit: Visit,
    name: str,
    title: str,
    values: Mapping[str, object],
    actions: Iterable[Action] = (),
    *,
    life: Life = Life.CHECK,
    status: int = 200,
    forget: bool = False,
) -> Screen:
    """Make a screen in the person's language."""
    made = Screen(
        name,
        title,
        values,
        tuple(actions),
        forget=forget,
        words=visit.language.gettext,
        life=life,
        status=status,
        language=visit.language.tag,
    )
    return with_style(made)


def with_style(screen: Screen) -> Screen:
    """Return a screen with the link to its style sheet, relative to this request's address."""
    return replace(screen, style=sessionless_link(style_sheet.NAME))


def notice_screen(
    visit: Visit,
    title: str,
    sentence: str,
    actions: Iterable[Action] = (),
    lines: Sequence[str] = (),
    *,
    life: Life = Life.CHECK,
    status: int = 200,
    code: str = "",
) -> Screen:
    """Make a screen of a sentence, further lines, and actions; `code`: as `error_code` returns it."""
    values = {"sentence": sentence, "lines": lines, "code": code}
    return make_screen(visit, "notice", title, values, actions, life=life, status=status)


def question_screen(
    visit: Visit,
    title: str,
    sentence: str,
    target: str,
    actions: Iterable[Action],
    *,
    answer: str = "",
    short: str = "",
    lines: Sequence[str] = (),
) -> Screen:
    """Make the page that asks before something is deleted or ended.

    Yes is posted to `target`; if that is "", the sentence says why it cannot be done. `answer`: the button's label if
    it is not the title; `short`: the softkey's.
    """
    values = {
        "sentence": sentence,
        "lines": lines,
        "answer": answer or title,
        "short": short or visit.language.gettext("Yes"),
        "target": target,
        "ticket": visit.signed_in.ticket(),
    }
    return make_screen(visit, "ask", title, values, actions, life=Life.NEVER)


def error_code(visit: Visit) -> str:
    """Return the words that identify this request, for people to report to the administrator; "" outside a server."""
    name = log_context.current().id
    return visit.language.gettext("Error code: %(code)s") % {"code": name} if name else ""


def inbox_action(visit: Visit, key: str = BACK_KEY, soft: str = "") -> Action:
    """Return the action that opens the inbox."""
    return Action(visit.language.gettext("Inbox"), list_link("mailbox.inbox"), key, soft)


def settings_actions(visit: Visit) -> tuple[Action, ...]:
    """Return the actions from a settings page back to the index of settings, and to the inbox."""
    back = Action(visit.language.gettext("Settings"), link("settings.show"), BACK_KEY)
    return back, inbox_action(visit, key="")


def sign_out_action(visit: Visit, key: str = "") -> Action:
    """Return the action that signs out, with the ticket that marks the link as ours."""
    label = visit.language.gettext("Sign out")
    return Action(label, link("signin.sign_out", t=visit.signed_in.ticket()), key)


def paging_actions(visit: Visit, next_page: str, back: str, soft: str = "accept") -> tuple[Action, ...]:
    """Return the actions to the next page and the previous one, if they exist."""
    _ = visit.language.gettext
    found = (Action(_("Next"), next_page, KEYS["Next"], soft), Action(_("Prev"), back, KEYS["Prev"]))
    return tuple(action for action in found if action.href)


def range_words(visit: Visit, first: int, last: int, count: int, whole: str | None = None) -> str:
    """Return which rows of a list a page shows, counted from 1; `whole`: the text if it shows all of them."""
    if whole is not None and (first, last) == (1, count):
        return whole
    number = visit.language.number
    if visit.device.is_narrow:
        return f"{number(first)}–{number(last)}/{number(count)}"
    return visit.language.gettext("%(first)s–%(last)s of %(count)s") % {
        "first": number(first),
        "last": number(last),
        "count": number(count),
    }
