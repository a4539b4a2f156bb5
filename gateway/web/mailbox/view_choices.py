"""The form for the view of a mailbox: its order, its filter, and a page number to go to.

Nothing here may offer what the mail server cannot do. The order is remembered for this mailbox, the filter and the
page are not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Blueprint, Response

from gateway.access.idempotency import PostOutcome, do_once
from gateway.errors import BadRequest
from gateway.markup.keys import KEYS
from gateway.markup.screen import Action, Life, Screen
from gateway.web.mailbox import list_views
from gateway.web.mailbox.list_views import CHOICES, FILTERS, ListView
from gateway.web.mailbox.mailbox_list import show_view
from gateway.web.request.field_forms import FormField, form_screen
from gateway.web.request.mailbox_names import TITLE, title_of
from gateway.web.request.respond import respond
from gateway.web.request.visit import Visit, current, link, list_link

view = Blueprint("view", __name__)


def _(msgid: str) -> str:
    return msgid


#: Digits of a page number: up to a hundred million pages.
PAGE_DIGITS: Final = 8
_NO_PAGE: Final = _("Enter a page number, 1 or higher.")


@view.get("/v<int:number>")
def ask(number: int) -> Response:
    """Show the form for the view of a mailbox."""
    visit = current()
    name, _uidvalidity = visit.mailbox(number)
    return respond(_screen(visit, number, name, ListView(list_views.usual_order(visit, name))))


@view.post("/v<int:number>")
def choose(number: int) -> Response:
    """Show the mailbox in the chosen view, and remember its order; a repeat changes nothing."""
    visit = current()
    name, _uidvalidity = visit.mailbox(number)
    form = visit.form()
    usual = list_views.usual_order(visit, name)
    orders = {order.value: order for order, _label in CHOICES}
    chosen = ListView(orders.get(form.get("order", ""), usual), form.get("filter", ""))
    if chosen.filter not in FILTERS:
        chosen = replace(chosen, filter=list_views.ALL)
    page = form.get("page", "").strip()
    if page and not (page.isascii() and page.isdigit() and len(page) <= PAGE_DIGITS and int(page)):
        sentence = visit.language.gettext(_NO_PAGE)
        return respond(_screen(visit, number, name, chosen, page, sentence), Life.NEVER)

    def remember() -> PostOutcome:
        if chosen.order is not usual:
            list_views.remember_order(visit, name, chosen.order)
        return {}

    try:
        do_once(visit.signed_in, visit.ticketed_post(form), remember)
    except BadRequest as error:
        sentence = visit.language.gettext(error.sentence)
        return respond(_screen(visit, number, name, chosen, page, sentence), Life.NEVER)
    return show_view(visit, name, list_views.exact_view(visit, name, chosen), page=int(page or 1))


def _screen(
    visit: Visit, number: int, name: str, chosen: ListView, page: str = "", sentence: str = ""
) -> Screen:
    _ = visit.language.gettext
    with visit.signed_in.store() as store:
        can = store.can
    orders = [(order.value, _(label)) for order, label in CHOICES if order in can.orders]
    filters = [(word, _(label)) for word, (label, _query, _note) in FILTERS.items()]
    order = chosen.order.value if chosen.order.value in dict(orders) else "arrival"
    fields = (
        *([FormField("order", _("Sort"), order, tuple(orders))] if len(orders) > 1 else ()),
        *([FormField("filter", _("Only"), chosen.filter, tuple(filters))] if can.search else ()),
        FormField("page", _("Page"), page, room=PAGE_DIGITS, plain=True),
    )
    notes = () if can.sort else (_("This mail server cannot sort. Lists are in order of arrival."),)
    screen = form_screen(
        visit,
        _("View: %(folder)s") % {"folder": title_of(visit, name, TITLE)},
        link("view.ask", number=number),
        fields,
        sentence,
        notes=notes,
    )
    back = Action(_("Back"), list_link("mailbox.by_number", number=number), KEYS["Back"])
    return replace(screen, values={**screen.values, "button": _("Show")}, actions=(back,))
