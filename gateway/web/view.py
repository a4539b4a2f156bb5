"""How a mailbox is looked at: its order, what of it is shown, and the page to go to.

Nothing here may offer what the mail server cannot do. What is chosen is shown at once; the order is remembered for this
mailbox, the filter and the page are not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Blueprint, Response

from gateway.errors import BadRequest
from gateway.markup.screen import Action, Life, Screen
from gateway.store.base import Order
from gateway.web import views
from gateway.web.fields import Field, form_screen
from gateway.web.mailbox import show_view
from gateway.web.naming import title_of
from gateway.web.respond import respond
from gateway.web.views import FILTERS, ORDERS, View
from gateway.web.visit import Visit, current, link, list_link

view = Blueprint("view", __name__)


def _(msgid: str) -> str:
    return msgid


#: Digits of a page's number: a hundred million pages.
PAGE_DIGITS: Final = 8
_NO_PAGE: Final = _("A page is a number, from 1 on.")


@view.get("/v<int:number>")
def ask(number: int) -> Response:
    """Ask how the mailbox is to be looked at."""
    visit = current()
    name, _uidvalidity = visit.mailbox(number)
    return respond(_screen(visit, number, name, views.usual(visit, name)))


@view.post("/v<int:number>")
def choose(number: int) -> Response:
    """Show the mailbox so, and remember its order; a repeat shows the same and changes nothing."""
    visit = current()
    name, _uidvalidity = visit.mailbox(number)
    form, session = visit.form(), visit.signed_in
    usual = views.usual(visit, name)
    orders = {order.value: order for order in Order}
    chosen = View(orders.get(form.get("order", ""), usual.order), form.get("filter", ""))
    if chosen.filter not in FILTERS:
        chosen = replace(chosen, filter=views.ALL)
    page = form.get("page", "").strip()
    if page and not (page.isascii() and page.isdigit() and len(page) <= PAGE_DIGITS and int(page)):
        said = visit.language.gettext(_NO_PAGE)
        return respond(_screen(visit, number, name, chosen, page, said), Life.NEVER)
    ticket = form.get("ticket", "")
    if session.check_ticket(ticket) is None:
        said = visit.language.gettext(BadRequest.sentence)
        return respond(_screen(visit, number, name, chosen, page, said), Life.NEVER)
    if session.claim(ticket).fresh:
        if chosen.order is not usual.order:
            views.remember(visit, name, chosen.order)
        session.settle(ticket, {"outcome": "chosen"})
    return show_view(visit, name, chosen, page=int(page or 1))


def _screen(visit: Visit, number: int, name: str, chosen: View, page: str = "", sentence: str = "") -> Screen:
    _ = visit.language.gettext
    with visit.signed_in.store() as store:
        able = store.orders()
    orders = [(order.value, _(label)) for order, label, _note in ORDERS.values() if order in able]
    filters = [(word, _(label)) for word, (label, _query, _note) in FILTERS.items()]
    fields = (
        Field("order", _("Sort"), chosen.order.value if chosen.order in able else "arrival", tuple(orders)),
        Field("filter", _("Only"), chosen.filter, tuple(filters)),
        Field("page", _("Page"), page, room=PAGE_DIGITS, plain=True),
    )
    notes = () if Order.DATE in able else (_("This mail server cannot sort: lists stand by arrival."),)
    screen = form_screen(
        visit,
        _("View: %(folder)s") % {"folder": title_of(visit, name)},
        link("view.ask", number=number),
        fields,
        sentence,
        notes=notes,
    )
    back = Action(_("Back"), list_link("mailbox.box", number=number), "0")
    return replace(screen, values={**screen.values, "button": _("Show")}, actions=(back,))
