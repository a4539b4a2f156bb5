"""People: the accounts that have signed in, the sessions of one, and what can be done to both.

Nothing here may show a password or a mail, or an address that the administrator has not asked to see.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from gateway.admin.panel_pages import ROWS, ask, current_panel, first_shown, page
from gateway.admin.people.listed_records import account_records, the_account
from gateway.admin.records import sending_records, sign_in_limits
from gateway.admin.records.account_records import Account
from gateway.errors import BadRequest, NotFound, UnknownDomain
from gateway.state import AccountFilter

people = Blueprint("people", __name__)

#: The lists that the first page offers, by the field `list` of its address.
_LISTS: Final = {
    "all": AccountFilter.ALL,
    "signed-in": AccountFilter.SIGNED_IN,
    "locked": AccountFilter.LOCKED,
}
_MAIL_STAYS: Final = "Mail on the mail server is not touched."


@people.get("/people")
def show() -> Response:
    """List accounts."""
    return _list()


@people.post("/people")
def find() -> AnyResponse:
    """Redirect to the account with a hash or an address; posted, so that no address is in a URL."""
    who = request.form.get("who", "")
    try:
        return _to(account_records().find(who)[0])
    except (BadRequest, UnknownDomain) as error:
        return _list(error.detail, 400)
    except NotFound as error:
        return _list(error.detail, 404, unknown=who if "@" in who else "")


@people.post("/people/lock")
def lock_unknown() -> AnyResponse:
    """Lock the account of an address that has never signed in."""
    records = account_records()
    found = records.introduce(request.form.get("who", ""))
    for account in found:
        records.lock(account)
    return _to(found[0])


@people.get("/people/<account_hash>")
def account(account_hash: str) -> Response:
    """Show one account."""
    records, found = account_records(), the_account(account_hash)
    state, now, first = records.state, records.clock(), first_shown()
    return page(
        "account",
        title=f"Account {found.hash}",
        account=found,
        sessions=records.sessions(found, ROWS, first),
        next=first + ROWS if found.row.sessions > first + ROWS else None,
        stored=records.stored(found),
        sent=sending_records.counts(state, found.row.id),
        limits=sign_in_limits.of_account(state, found.row.key, now),
    )


@people.get("/people/<account_hash>/sessions/<int:number>/end")
def ask_end_session(account_hash: str, number: int) -> Response:
    """Ask whether to end one session."""
    found = the_account(account_hash)
    question = "End this session? The person has to sign in again on this device."
    lines = (
        "What was typed there and posted afterwards is kept for a day, for the same person.",
        _MAIL_STAYS,
    )
    return ask("End a session", question, lines, "End the session", _path(found))


@people.post("/people/<account_hash>/sessions/<int:number>/end")
def end_session(account_hash: str, number: int) -> AnyResponse:
    """End one session."""
    found = the_account(account_hash)
    account_records().end_session(number, found)
    return _to(found)


@people.get("/people/<account_hash>/end")
def ask_end(account_hash: str) -> Response:
    """Ask whether to end all sessions of an account."""
    found = the_account(account_hash)
    question = f"End all sessions of account {found.hash}, {found.row.sessions} now?"
    lines = ("The person has to sign in again on each device.", _MAIL_STAYS)
    return ask("End all sessions", question, lines, "End all sessions", _path(found))


@people.post("/people/<account_hash>/end")
def end(account_hash: str) -> AnyResponse:
    """End all sessions of an account."""
    found = the_account(account_hash)
    account_records().end_all(found)
    return _to(found)


@people.get("/people/<account_hash>/lock")
def ask_lock(account_hash: str) -> Response:
    """Ask whether to lock an account."""
    found = the_account(account_hash)
    lines = (
        f"All its sessions end at once: {found.row.sessions} now.",
        "Whoever signs in to it reads that the administrator has locked it, until you unlock it.",
        "What is stored of the account stays.",
        _MAIL_STAYS,
    )
    return ask("Lock an account", f"Lock account {found.hash}?", lines, "Lock the account", _path(found))


@people.post("/people/<account_hash>/lock")
def lock(account_hash: str) -> AnyResponse:
    """Lock an account."""
    found = the_account(account_hash)
    account_records().lock(found)
    return _to(found)


@people.post("/people/<account_hash>/unlock")
def unlock(account_hash: str) -> AnyResponse:
    """Unlock an account."""
    found = the_account(account_hash)
    account_records().unlock(found)
    return _to(found)


@people.get("/people/<account_hash>/forget")
def ask_forget(account_hash: str) -> Response:
    """Ask whether to forget an account, and say what will be lost."""
    found = the_account(account_hash)
    lines = account_records().what_goes(found)
    question = f"Delete everything that is stored of account {found.hash}? It cannot be brought back."
    return ask("Forget an account", question, lines, "Delete all of it", _path(found))


@people.post("/people/<account_hash>/forget")
def forget(account_hash: str) -> AnyResponse:
    """Forget an account."""
    account_records().forget(the_account(account_hash))
    return redirect("/people", 303)


def _list(problem: str = "", status: int = 200, unknown: str = "") -> Response:
    chosen = request.args.get("list", "all")
    first, which = first_shown(), _LISTS.get(chosen, AccountFilter.ALL)
    found = account_records().page(which, ROWS + 1, first)
    return page(
        "people",
        status,
        title="People",
        accounts=found[:ROWS],
        first=first,
        next=first + ROWS if len(found) > ROWS else None,
        lists=_LISTS,
        chosen=which,
        problem=problem,
        unknown=unknown,
        shows_addresses=current_panel().process.config.admin_show_addresses,
    )


def _path(account: Account) -> str:
    return f"/people/{account.hash}"


def _to(account: Account) -> AnyResponse:
    return redirect(_path(account), 303)
