"""People, their sessions and what they sent; slowed sign-ins; the audit: as the panel shows and changes them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest

from gateway.access.log_context import account_hash
from gateway.access.session import Session
from gateway.admin import panel_pages
from gateway.admin.gateway_process import GatewayProcess
from gateway.admin.panel import create_panel
from gateway.admin.people import audit_screen, people_screen, sending_screen, slowed_down_screen
from gateway.errors import AccountLocked, AuthenticationFailed, TooManyTries
from gateway.sealed.send_journal import NOT_SENT, SENT, UNCERTAIN, Outcome, SendingNotes
from gateway.sealed.vault import TicketedPost
from gateway.state import AuditLine, Stage

from .conftest import XHTML, Administrator, parsed, text_of
from .signed_in import PASSWORD, PHONE, is_out, sign_in

ANNA, BEN, RECIPIENT = "anna@example.org", "ben@example.org", "hidden@example.org"
HOSTILE = (
    "\r\nx",
    "\0",
    "<b>&'\"",
    "../../etc/passwd",
    "a" * 5000,
    "\udcff",
    "%s%n",
    "0" * 12,
    "9" * 40,
    "-1",
)


@pytest.fixture
def anna(process: GatewayProcess) -> Session:
    """Somebody who is signed in."""
    return sign_in(process, ANNA)


def whose(process: GatewayProcess, session: Session) -> str:
    return account_hash(process.state.accounts.keys([session.account])[session.account])


def confirmed(administrator: Administrator, path: str) -> str:
    """Read a page's question, and answer yes."""
    asked = administrator.get(path)
    assert asked.xpath("string(//h:form[@action=$path]/@method)", namespaces=XHTML, path=path) == "post"
    administrator.post(path)
    return text_of(asked)


def lines(process: GatewayProcess) -> list[tuple[str, str]]:
    return [(line.action, line.subject) for _, line in process.state.administration.audit()]


# --- people


def test_accounts_are_listed_by_hash_and_not_by_address(
    process: GatewayProcess, administrator: Administrator, anna: Session
) -> None:
    page = administrator.get("/people")
    assert whose(process, anna) in text_of(page)
    account = administrator.get(f"/people/{whose(process, anna)}")
    assert "nokia7110 WML" in text_of(account)
    for shown in (page, account):
        assert "anna" not in text_of(shown)
        assert anna.token not in text_of(shown)


def test_addresses_are_shown_where_they_are_switched_on_from_the_next_sign_in_on(
    process: GatewayProcess, administrator: Administrator, anna: Session
) -> None:
    process.apply(replace(process.config, admin_show_addresses=True))
    assert ANNA not in text_of(administrator.get("/people"))
    sign_in(process, ANNA)
    assert ANNA in text_of(administrator.get("/people"))
    assert ANNA in text_of(administrator.get(f"/people/{whose(process, anna)}"))
    process.apply(replace(process.config, admin_show_addresses=False))
    process.apply(replace(process.config, admin_show_addresses=True))
    assert ANNA not in text_of(administrator.get("/people"))


@pytest.mark.parametrize("shown", [True, False])
def test_people_are_told_that_their_address_is_shown(
    process: GatewayProcess, anna: Session, shown: bool
) -> None:
    process.apply(replace(process.config, admin_show_addresses=shown))
    page = process.app.test_client().get(f"/~{anna.token}/sk", headers={"User-Agent": PHONE})
    assert "My data" in page.text
    assert ("The administrator of this gateway can see your address." in page.text) is shown


def test_an_account_is_found_by_address_in_any_spelling_and_by_hash(
    process: GatewayProcess, administrator: Administrator, anna: Session
) -> None:
    for who in (ANNA, " Anna@EXAMPLE.org ", "anna", whose(process, anna)):
        answer = administrator.client.post("/people", data={"ticket": ticket(administrator), "who": who})
        assert answer.headers["Location"] == f"/people/{whose(process, anna)}"


def ticket(administrator: Administrator) -> str:
    return str(administrator.get("/").xpath("string(//h:input[@name='ticket']/@value)", namespaces=XHTML))


def test_one_session_ends_with_its_next_request_and_the_others_live(
    process: GatewayProcess, administrator: Administrator, anna: Session
) -> None:
    other = sign_in(process, ANNA)
    hashed = whose(process, anna)
    assert not is_out(process, anna)
    confirmed(administrator, f"/people/{hashed}/sessions/{anna.id}/end")
    assert is_out(process, anna)
    assert not is_out(process, other)
    assert lines(process)[0] == ("session ended", f"{hashed}, on nokia7110")
    administrator.post(f"/people/{hashed}/sessions/{anna.id}/end", 404)


def test_a_session_is_not_ended_under_the_name_of_another_account(
    process: GatewayProcess, administrator: Administrator, anna: Session
) -> None:
    ben = sign_in(process, BEN)
    administrator.post(f"/people/{whose(process, ben)}/sessions/{anna.id}/end", 404)
    assert not is_out(process, anna)


def test_all_sessions_of_an_account_end_together(
    process: GatewayProcess, administrator: Administrator, anna: Session
) -> None:
    other, ben = sign_in(process, ANNA), sign_in(process, BEN)
    asked = confirmed(administrator, f"/people/{whose(process, anna)}/end")
    assert "2 now" in asked
    assert all(is_out(process, each) for each in (anna, other))
    assert not is_out(process, ben)


def test_a_locked_person_is_out_and_stays_out_until_unlocked(
    process: GatewayProcess, administrator: Administrator, anna: Session
) -> None:
    hashed = whose(process, anna)
    confirmed(administrator, f"/people/{hashed}/lock")
    assert is_out(process, anna)
    with pytest.raises(AccountLocked):
        sign_in(process, ANNA)
    assert "Locked since" in text_of(administrator.get(f"/people/{hashed}"))
    assert hashed in text_of(administrator.get("/people?list=locked"))
    administrator.post(f"/people/{hashed}/unlock")
    assert sign_in(process, ANNA).account == anna.account
    assert hashed not in text_of(administrator.get("/people?list=locked"))
    assert [action for action, _ in lines(process)][:2] == ["account unlocked", "account locked"]


def test_a_locked_person_reads_why_on_the_sign_in_page(
    process: GatewayProcess, administrator: Administrator, anna: Session
) -> None:
    administrator.post(f"/people/{whose(process, anna)}/lock")
    answer = process.app.test_client().post(
        "/m", data={"user": ANNA, "password": "x"}, headers={"Accept-Language": "de"}
    )
    assert answer.status_code == 403
    assert "gesperrt" in answer.text


def test_an_address_that_never_signed_in_can_be_locked(
    process: GatewayProcess, administrator: Administrator
) -> None:
    page = administrator.post("/people", 404, who="New@example.org")
    assert page is not None
    offered = "//h:form[@action='/people/lock']//h:input[@name='who']/@value"
    assert page.xpath(f"string({offered})", namespaces=XHTML) == "New@example.org"
    administrator.post("/people/lock", who="New@example.org")
    with pytest.raises(AccountLocked):
        sign_in(process, "new@example.org")


def test_forgetting_says_what_goes_and_takes_what_the_person_could_delete(
    process: GatewayProcess, administrator: Administrator, anna: Session
) -> None:
    process.state.settings.put(anna.account, "nokia7110", {"lines": "4"})
    anna.memory.put("profile", "", {"signature": "Anna"})
    asked = confirmed(administrator, f"/people/{whose(process, anna)}/forget")
    for word in (
        "Sessions: 1",
        "Settings of devices: 1",
        "Profile, people",
        "Mail on the mail server is not touched.",
    ):
        assert word in asked
    assert process.state.accounts.rows(anna.account) == {}
    assert process.state.accounts.page(time.time()) == []
    assert is_out(process, anna)
    assert lines(process)[0][0] == "account forgotten"


def test_text_typed_into_a_session_that_was_ended_here_is_kept(
    process: GatewayProcess, administrator: Administrator, anna: Session
) -> None:
    administrator.post(f"/people/{whose(process, anna)}/end")
    client = process.app.test_client()
    form = {"ticket": anna.ticket(), "to": BEN, "subject": "Lunch", "text": "Dear Ben", "do": "send"}
    answer = client.post(
        f"/~{anna.token}/c", data=form, headers={"User-Agent": "Mozilla/5.0", "Accept": "text/html"}
    )
    assert answer.status_code == 403
    assert "Your text is kept" in answer.text
    later = sign_in(process, ANNA)
    assert later.saved_forms.adopt(anna.token, later.token, later.account) == 1
    (saved,) = later.saved_forms.all(later.token, later.account)
    assert saved.fields["text"] == "Dear Ben"


def test_connections_of_ended_sessions_are_closed(
    process: GatewayProcess, administrator: Administrator, anna: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped: list[bytes] = []
    monkeypatch.setattr(process.pool, "drop", dropped.append)
    administrator.post(f"/people/{whose(process, anna)}/lock")
    assert len(dropped) == 1


# --- sending


@pytest.fixture
def sendings(process: GatewayProcess, anna: Session) -> Session:
    """A journal with one of each kind; the mail that was interrupted is an hour old."""
    now = time.time()
    for number, (stage, outcome, at) in enumerate((
        (Stage.DONE, Outcome(SENT, recipients=(RECIPIENT,), filed=True), now),
        (Stage.DONE, Outcome(SENT, recipients=(RECIPIENT,), doubtful=("y@example.org",), kept=None), now),
        (Stage.DONE, Outcome(NOT_SENT, sentence="Secret reason", kept=True), now),
        (Stage.DONE, Outcome(UNCERTAIN, kept=None), now),
        (Stage.SUBMITTING, None, now - 3600),
        (Stage.SUBMITTING, None, now),
    )):  # fmt: skip
        post = TicketedPost.of(f"ticket {number}", b"")
        entry = anna.journal.new_entry(post, at, False)
        anna.journal.claim(entry)
        notes = SendingNotes(message_id="<secret@example.org>", recipients=(RECIPIENT,), outcome=outcome)
        anna.journal.write(replace(entry, stage=stage, notes=notes))
    return anna


def test_the_journal_is_shown_without_text_or_addresses(
    process: GatewayProcess, administrator: Administrator, sendings: Session
) -> None:
    for path in ("/sending", f"/sending?account={whose(process, sendings)}"):
        page = administrator.get(path)
        said = text_of(page)
        rows = page.xpath("count(//h:table[2]//h:tr[h:td])", namespaces=XHTML)
        assert rows == 6
        assert whose(process, sendings) in said
        for words in ("sent 2", "open 2", "not sent 1", "uncertain 1"):
            assert words in said
        for word in ("@", "Secret", "secret"):
            assert word not in said


def test_what_is_uncertain_is_said_and_no_more(administrator: Administrator, sendings: Session) -> None:
    page = administrator.get("/sending")
    uncertain = sorted(
        "".join(cell.itertext())
        for cell in page.xpath("//h:td[@data-of='What is uncertain']", namespaces=XHTML)
    )
    assert uncertain == [
        "",
        "",
        "",
        "whether 1 of its recipients got it; where its copy is",
        "whether the mail server accepted it: interrupted meanwhile",
        "whether the mail server accepted it; whether a copy is in Drafts",
    ]


def test_a_journal_that_cannot_be_decrypted_still_shows_outcomes(
    process: GatewayProcess, administrator: Administrator, sendings: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_secret", b"another secret of the same length")
    said = text_of(administrator.get("/sending"))
    assert said.count("the server secret has changed since") == 6
    assert "not sent done" in said


# --- slowed down


def wrong(process: GatewayProcess, address: str, remote: str = "198.51.100.9", times: int = 7) -> None:
    for _ in range(times):
        with pytest.raises((AuthenticationFailed, TooManyTries)):
            sign_in(process, address, "wrong", remote=remote)


def test_who_is_slowed_down_is_named_by_hash_and_network_and_cleared(
    process: GatewayProcess, administrator: Administrator, anna: Session
) -> None:
    hashed = whose(process, anna)
    assert "Nobody." in text_of(administrator.get("/slowed-down"))
    wrong(process, ANNA)
    for path in ("/slowed-down", f"/people/{hashed}"):
        page = administrator.get(path)
        assert "198.51.100.9/32 about 6 wrong passwords" in text_of(page)
        assert ANNA not in text_of(page)
    (clear,) = administrator.get("/slowed-down").xpath("//h:td/h:a/@href", namespaces=XHTML)
    confirmed(administrator, clear)
    assert "Nobody." in text_of(administrator.get("/slowed-down"))
    assert lines(process)[0] == ("limit cleared", f"{hashed} 198.51.100.9/32")
    sign_in(process, ANNA, remote="198.51.100.9")
    administrator.post(clear, 404)


def test_all_limits_of_an_account_are_cleared_together_and_nobody_elses(
    process: GatewayProcess, administrator: Administrator, anna: Session
) -> None:
    sign_in(process, BEN, remote="192.0.2.2")
    wrong(process, ANNA)
    wrong(process, "An.na@example.org", "198.51.100.10")  # counted with anna, by its name without the dot
    wrong(process, BEN)
    administrator.post("/slowed-down", account=whose(process, anna))
    said = text_of(administrator.get("/slowed-down"))
    assert said.count("wrong passwords") == 1
    assert whose(process, anna) not in said
    sign_in(process, ANNA, remote="198.51.100.9")


def test_a_network_that_tries_many_accounts_is_shown_as_a_whole(
    process: GatewayProcess, administrator: Administrator
) -> None:
    now = time.time()  # of all tries: one in 12 seconds is free, and this machine may be slow
    for number in range(330):
        with pytest.raises((AuthenticationFailed, TooManyTries)):
            sign_in(process, f"p{number}@example.org", "wrong", remote="2001:db8::7", at=now)
    said = text_of(administrator.get("/slowed-down"))
    assert "all 2001:db8::/64 many tries for many accounts" in said


def test_many_records_are_looked_through_page_by_page(
    process: GatewayProcess, administrator: Administrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.access.slow_downs.MOST_LOOKED_AT", 5)
    monkeypatch.setattr(slowed_down_screen, "ROWS", 2)
    for number in range(4):
        wrong(process, f"p{number}@example.org", f"198.51.100.{number}")
    found: list[str] = []
    path = "/slowed-down"
    for _ in range(20):
        page = administrator.get(path)
        found += page.xpath("//h:td/h:a/@href", namespaces=XHTML)
        rest = page.xpath("//h:p[@class='paging']/h:a[.='Next page']/@href", namespaces=XHTML)
        if not rest:
            break
        (path,) = rest
    assert len(found) == len({*found}) == 4


# --- the audit, and pages


def test_the_audit_is_shown_page_by_page_and_harmless(
    process: GatewayProcess, administrator: Administrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_screen, "ROWS", 3)
    for number in range(7):
        line = AuditLine(float(number), "shell", f"act {number}", "<script>\r\n\0\x1b[2J")
        process.state.administration.record(line)
    acts: list[str] = []
    path = "/audit"
    while path:
        page = administrator.get(path)
        acts += page.xpath("//h:td[@data-of='What']/text()", namespaces=XHTML)
        assert not page.xpath("//h:script", namespaces=XHTML)
        path = page.xpath("string(//h:a[.='Next page']/@href)", namespaces=XHTML)
    assert acts == [*(f"act {number}" for number in range(6, -1, -1)), "signed in"]


def test_people_are_shown_page_by_page(
    process: GatewayProcess, administrator: Administrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (people_screen, sending_screen):
        monkeypatch.setattr(module, "ROWS", 2)
    for number in range(5):
        sign_in(process, f"p{number}@example.org")
    found: list[str] = []
    path = "/people?list=signed-in"
    while path:
        page = administrator.get(path)
        found += page.xpath("//h:td[@data-of='Account']/h:a/text()", namespaces=XHTML)
        path = page.xpath("string(//h:a[.='Next page']/@href)", namespaces=XHTML)
    assert len(found) == len({*found}) == 5


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_texts_in_addresses_and_fields_do_nothing(
    process: GatewayProcess, administrator: Administrator, anna: Session, hostile: str
) -> None:
    hashed = whose(process, anna)
    quoted = dict.fromkeys(("list", "from", "account", "x"), _bytes(hostile))
    for path in ("/people", f"/people/{hashed}", "/sending", "/slowed-down", "/audit"):
        answer = administrator.client.get(path, query_string=urlencode(quoted))
        assert answer.status_code in (200, 404), path
    for path in ("/people", "/people/lock", "/slowed-down"):
        for field in ("who", "account"):
            data = {"ticket": ticket(administrator), field: _bytes(hostile)}
            answer = administrator.client.post(path, data=data)
            assert answer.status_code in (400, 403, 404), (path, field)
            assert "<b>" not in answer.text
    for action in ("", "/end", "/lock", "/unlock", "/forget"):
        path = f"/people/{quote(_bytes(hostile[:200]), safe='')}{action}"
        answer = administrator.client.post(path, data={"ticket": ticket(administrator)})
        assert answer.status_code in (400, 404, 405), action
    assert [action for action, _ in lines(process)] == ["signed in"]
    assert len(process.state.accounts.page(time.time())) == 1
    assert not is_out(process, anna)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def test_no_screen_shows_a_password_a_mail_or_the_way_into_a_session(
    process: GatewayProcess, administrator: Administrator, sendings: Session
) -> None:
    """Whoever has stolen a session of the panel reads everything to which it leads."""
    wrong(process, BEN)
    secrets = (PASSWORD, sendings.token, ANNA, BEN, "Secret reason", "secret@example.org", RECIPIENT)
    todo, seen = [path for path, _ in panel_pages.MENU], set()
    while todo:
        path = todo.pop()
        seen.add(path.partition("?")[0])
        answer = administrator.client.get(path)
        assert answer.status_code == 200, path
        for secret in secrets:
            assert secret.encode() not in answer.data, path
        if answer.content_type.startswith("text/html"):
            links = parsed(answer.data).xpath("//h:a/@href", namespaces=XHTML)
            todo += [link for link in links if link.startswith("/") and link.partition("?")[0] not in seen]
    assert f"/people/{whose(process, sendings)}/forget" in seen


def test_a_form_without_its_ticket_does_nothing(
    process: GatewayProcess, administrator: Administrator, anna: Session
) -> None:
    hashed = whose(process, anna)
    for path in ("end", "lock", "forget", f"sessions/{anna.id}/end"):
        assert administrator.client.post(f"/people/{hashed}/{path}").status_code == 409
    assert not is_out(process, anna)


def test_without_a_session_of_the_panel_nothing_is_seen(process: GatewayProcess, anna: Session) -> None:
    stranger = create_panel(process).test_client()
    for path in (
        f"/people/{whose(process, anna)}",
        f"/people/{whose(process, anna)}/forget",
        "/slowed-down/00",
    ):
        assert stranger.get(path).headers.get("Location") == "/sign-in"
    for path in (f"/people/{whose(process, anna)}/lock", "/people", "/slowed-down", "/slowed-down/00"):
        assert stranger.post(path).headers.get("Location") == "/sign-in"
    assert not is_out(process, anna)


@pytest.fixture(autouse=True)
def few_rows_do_not_stay(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check that no test changes the screens' own numbers for the next."""
    yield
    monkeypatch.undo()
    assert panel_pages.ROWS == 50
