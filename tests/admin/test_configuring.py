"""Upstreams and Settings: what is typed becomes the file, which keeps its comments; whoever else edits it is told."""

from __future__ import annotations

import errno
import logging
import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.access.sessions import domain_mark
from gateway.admin.configuring import table_screens
from gateway.admin.configuring.option_fields import OptionForm
from gateway.admin.gateway_process import RESTART, GatewayProcess
from gateway.admin.panel import create_panel
from gateway.config import load, writing
from gateway.config.loading import FIELDS
from gateway.config.option_kinds import Option
from gateway.config.options import OPTIONS, SECTIONS
from gateway.state import SessionRow
from tests.devices.phones import XhtmlBrowser, in_process
from tests.servers.dovecot import Dovecot
from tests.servers.scripted.peer import Caller, Peer
from tests.servers.smtp import SmtpServer

from .conftest import PASSWORD

ORIGIN = "http://panel.example"
COMMENTED = """\
# The gateway of the bakery
[http]
listen = "127.0.0.1:8080" # behind nginx

# the shop
[[upstream]]
domains = [
  "example.org", # the old name
  "example.net",
]
imap = "imap://127.0.0.1:1"
smtp = "smtp://127.0.0.1:2"

# the owner
[[upstream]]
domains = ["example.com"]
imap = "imap://127.0.0.1:3"
smtp = "smtp://127.0.0.1:4"
"""


@pytest.fixture
def file(process: GatewayProcess) -> Path:
    """The configuration file, with comments."""
    assert process.file is not None
    process.file.write_text(COMMENTED)
    process.reload()
    return process.file


@pytest.fixture
def sign_in(process: GatewayProcess, file: Path) -> Callable[[], XhtmlBrowser]:
    """Sign another administrator in."""
    transport = in_process(create_panel(process))

    def one() -> XhtmlBrowser:
        page = XhtmlBrowser(ORIGIN, transport, limit=200_000).open()
        return page.fill("password", PASSWORD).press("Sign in")

    return one


@pytest.fixture
def page(sign_in: Callable[[], XhtmlBrowser]) -> XhtmlBrowser:
    """An administrator's browser."""
    return sign_in()


def save(page: XhtmlBrowser, password: str = PASSWORD, **fields: str) -> XhtmlBrowser:
    for name, value in fields.items():
        page.fill(name, value)
    return page.fill("password", password).press("Save")


# --- settings


def test_every_option_has_its_place_with_its_words(page: XhtmlBrowser) -> None:
    listed = page.open("/settings").text
    for section in SECTIONS:
        if section.array:
            continue
        text = page.open(f"/settings/{section.name}").text
        assert section.heading in listed
        for option in OPTIONS:
            if option.section == section.name:
                assert option.name in listed
                assert option.doc in text


def test_a_setting_is_written_with_the_comments_kept_and_used_at_once(
    page: XhtmlBrowser, file: Path, process: GatewayProcess
) -> None:
    save(page.open("/settings/display"), timezone="Europe/Berlin")
    assert "Saved" in page.title
    assert '+timezone = "Europe/Berlin"' in page.text
    assert process.config.timezone == "Europe/Berlin"
    assert file.read_text() == COMMENTED + '\n[display]\ntimezone = "Europe/Berlin"\n'
    assert file.with_name("pocketpost.toml.previous").read_text() == COMMENTED
    save(page.open("/settings/display"), timezone="")
    assert process.config.timezone == "UTC"
    assert "timezone" not in file.read_text()
    lines = [line.action for _, line in process.state.administration.audit()]
    assert lines.count("settings saved") == 2


def test_what_waits_for_a_restart_is_said_by_the_names_of_its_options(page: XhtmlBrowser, file: Path) -> None:
    save(page.open("/settings/http"), threads="7", url="http://m.example.org")
    assert "the old values stay in use of: [http] threads." in page.text
    assert "[http] threads" in page.open("/settings").text.split("All of this")[0]
    save(page.open("/settings/http"), threads="")
    assert "the old values stay in use" not in page.text
    assert set(RESTART) <= set(FIELDS)


@pytest.mark.parametrize(
    ("section", "field", "value", "words"),
    [
        ("http", "threads", "many", "a whole number from 1 to 256 is needed"),
        ("http", "listen", "here", "HOST:PORT is needed"),
        ("http", "trusted_proxies", "0.0.0.0/0", "a network of all addresses"),
        ("https", "cert", "none.pem", "there is no file"),
        ("display", "timezone", "Berlin", "there is no time zone"),
        ("outbound", "enabled", "perhaps", "true or false is needed"),
        ("admin", "listen", "0.0.0.0:8090", "anywhere but on loopback it needs cert and key"),
        ("admin", "listen", "127.0.0.1:8080", "is not for the panel"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(
    page: XhtmlBrowser, file: Path, section: str, field: str, value: str, words: str
) -> None:
    save(page.open(f"/settings/{section}"), **{field: value})
    assert page.answer is not None
    assert page.answer.status == 422
    (problem,) = page.page.xpath(f"//*[@id='f-{field}-problem']")
    assert words in problem.text
    (typed,) = page.page.xpath(f"//*[@name='{field}']")
    held = typed.xpath("string(option[@selected]/@value)") or typed.get("value") or typed.text
    assert held.strip() == value
    assert file.read_text() == COMMENTED


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: f"{option.section}.{option.name}")
def test_what_the_file_has_comes_back_from_the_form_as_it_was(option: Option, tmp_path: Path) -> None:
    value = tomllib.loads(f"x = {option.example}")["x"]
    form = OptionForm.of_table((option,), tmp_path, {option.name: value})
    again = OptionForm.of_request((option,), tmp_path, form.typed)
    assert again.value(option) == value
    assert type(again.value(option)) is type(value)
    empty = OptionForm.of_request((option,), tmp_path, {})
    assert empty.value(option) is None
    assert bool(empty.problems) == option.required


# --- arrays of tables


@pytest.fixture
def arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the screens for any array show that of upstreams, which always exists."""
    (section,) = (section for section in SECTIONS if section.name == "upstream")
    monkeypatch.setitem(table_screens.ARRAYS, "upstream", section)


@pytest.mark.usefixtures("arrays")
def test_tables_of_an_array_are_added_changed_and_removed(page: XhtmlBrowser, file: Path) -> None:
    shown = page.open("/settings").text
    assert "domains = example.com, imap = imap://127.0.0.1:3" in shown
    new = {"domains": "example.edu", "imap": "imaps://x.example", "smtp": "smtps://x.example"}
    save(page.follow("Add [[upstream]]"), **new)
    save(page.open("/settings/tables/upstream/1"), sent_copy="append")
    page.open("/settings/tables/upstream/0/remove").press("Remove")
    assert "password" in page.text
    page.fill("password", PASSWORD).press("Remove")
    assert [upstream.domains for upstream in load(file).upstreams] == [("example.com",), ("example.edu",)]
    assert load(file).upstreams[0].sent_copy == "append"
    for path in (
        "/settings/tables/upstream/3",
        "/settings/tables/upstream/2/remove",
        "/settings/tables/http/0",
    ):
        assert "There is no such page." in page.open(path).text


@pytest.mark.usefixtures("arrays")
def test_a_table_whose_number_has_changed_is_told(sign_in: Callable[[], XhtmlBrowser], file: Path) -> None:
    first, second = sign_in(), sign_in().open("/settings/tables/upstream/1")
    late = sign_in().open("/settings/tables/upstream/1/remove")
    first.open("/settings/tables/upstream/0/remove").fill("password", PASSWORD).press("Remove")
    text = file.read_text()
    save(second, smtp="smtp://127.0.0.1:77")
    assert "The file was changed while this form was open" in second.text
    assert second.page.xpath("string(//*[@name='smtp']/@value)") == "smtp://127.0.0.1:77"
    late.fill("password", PASSWORD).press("Remove")
    assert "There is no such page." in late.text
    assert file.read_text() == text
    second.open("/settings/tables/upstream/0")
    file.write_text("broken")
    save(second, smtp="smtp://127.0.0.1:78")
    assert "smtp://127.0.0.1:78" in second.answer.body.decode()
    assert "line 1" in second.text


# --- upstreams


def test_an_upstream_is_edited_in_the_middle_of_the_file(page: XhtmlBrowser, file: Path) -> None:
    page.open("/upstreams").follow("Edit or test")
    save(page, domains="example.org\nexample.net\nexample.edu", sent_copy="append", **{"special.sent": "Out"})
    want = COMMENTED.replace('  "example.net",\n', '  "example.net",\n  "example.edu",\n').replace(
        '127.0.0.1:2"\n', '127.0.0.1:2"\nsent_copy = "append"\nspecial = {sent = "Out"}\n'
    )
    assert file.read_text() == want
    shown = page.open("/upstreams").text
    assert "sent: Out" in shown
    assert "append" in shown


def test_certificates_are_said_to_be_verified_only_where_there_is_tls(page: XhtmlBrowser, file: Path) -> None:
    assert page.open("/upstreams").text.count("none are shown: no TLS") == 2
    file.write_text(COMMENTED.replace("imap://127.0.0.1:3", "imaps://127.0.0.1:3"))
    assert page.open("/upstreams").text.count("none are shown: no TLS") == 1
    assert page.text.count("verified by the system's authorities") == 1


def test_an_upstream_is_added_and_an_unknown_or_double_domain_is_refused(
    page: XhtmlBrowser, file: Path
) -> None:
    page.open("/upstreams/add")
    save(
        page,
        domains="example.edu example.net",
        imap="imaps://mail.example.edu",
        smtp="smtps://mail.example.edu",
    )
    assert '"example.net" stands twice' in page.page.xpath("//*[@id='f-domains-problem']")[0].text
    save(page, domains="example.edu", imap_login="{who}")
    assert "must stand in it" in page.text
    assert file.read_text() == COMMENTED
    save(page, imap_login="{local}")
    assert load(file).upstreams[2].user("anna@example.edu") == "anna"


def test_dotted_keys_and_inline_tables_are_edited_where_they_are(
    page: XhtmlBrowser, file: Path, process: GatewayProcess
) -> None:
    text = (
        'http.listen = "127.0.0.1:8080" # why\n'
        "upstream = [ # all\n"
        '  { domains = ["example.org"], imap = "imap://127.0.0.1:1", smtp = "smtp://127.0.0.1:2" },\n]\n'
    )
    file.write_text(text)
    process.reload()
    save(page.open("/settings/http"), url="http://m.example.org")
    save(page.open("/upstreams").follow("Edit or test"), sent_copy="provider")
    config = load(file)
    assert (config.url, config.upstreams[0].sent_copy) == ("http://m.example.org", "provider")
    assert "# why" in file.read_text()
    assert "# all" in file.read_text()


def test_line_ends_and_a_byte_order_mark_stay(
    page: XhtmlBrowser, file: Path, process: GatewayProcess
) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + COMMENTED.replace("\n", "\r\n").encode())
    process.reload()
    save(page.open("/settings/http"), url="http://m.example.org", names="a.example\nb.example:81")
    octets = file.read_bytes()
    assert octets.startswith(b"\xef\xbb\xbf# The gateway")
    assert octets.count(b"\n") == octets.count(b"\r\n")
    assert load(file).names == ("a.example", "b.example:81")


# --- more than one hand


def test_of_two_who_edit_at_once_the_second_is_told_and_keeps_what_they_typed(
    sign_in: Callable[[], XhtmlBrowser], file: Path
) -> None:
    first, second = sign_in().open("/settings/http"), sign_in().open("/settings/http")
    save(first, url="http://first.example", threads="7")
    save(second, url="http://second.example")
    assert second.answer is not None
    assert second.answer.status == 409
    assert "The file was changed while this form was open" in second.text
    assert "In the file now: http://first.example" in second.text
    assert "In the file now: 7" in second.text
    assert second.page.xpath("string(//*[@name='url']/@value)") == "http://second.example"
    assert load(file).url == "http://first.example"
    save(second, threads="7")
    assert (load(file).url, load(file).threads) == ("http://second.example", 7)


def test_an_upstream_that_the_other_has_removed_becomes_a_new_one_if_it_is_saved(
    sign_in: Callable[[], XhtmlBrowser], file: Path
) -> None:
    first, second = sign_in(), sign_in().open("/upstreams/edit?domain=example.com")
    first.open("/upstreams/remove?domain=example.com").fill("password", PASSWORD).press("Remove")
    save(second, smtp="smtp://127.0.0.1:9")
    assert "not in the file any more" in second.text
    assert len(load(file).upstreams) == 1
    save(second)
    assert load(file).upstreams[1].smtp.port == 9


def test_a_file_that_was_broken_by_hand_is_left_to_the_hand(
    page: XhtmlBrowser, file: Path, process: GatewayProcess
) -> None:
    page.open("/settings/http").fill("url", "http://m.example.org")
    file.write_text(COMMENTED.replace("[http]", "[http]\nurl = 1"))
    save(page)
    assert "The file is unusable now" in page.text
    assert not page.page.xpath("//*[@id='f-url-problem']")
    file.write_text(COMMENTED + "[http\n")
    save(page)
    assert "line 19" in page.text
    assert page.page.xpath("string(//*[@name='url']/@value)") == "http://m.example.org"
    assert file.read_text() == COMMENTED + "[http\n"
    for path in ("/settings", "/upstreams", "/settings/http", "/upstreams/add"):
        assert "line 19" in page.open(path).text, path
    assert process.config.listen == "127.0.0.1:8080"
    page.open("/settings").press("Read the file again")
    assert "line 19" in page.text
    file.write_text(COMMENTED.replace("8080", "8081"))
    page.open("/settings").press("Read the file again")
    assert process.config.listen == "127.0.0.1:8081"
    assert "[http] listen" in page.text


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EBUSY])
def test_where_the_file_is_read_only_the_change_is_shown(
    page: XhtmlBrowser, file: Path, process: GatewayProcess, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(writing.tempfile, "mkstemp", fail)
    monkeypatch.setattr(writing.os, "access", lambda *_: False)
    assert "may not write it" in page.open("/settings").text
    save(page.open("/upstreams/edit?domain=example.com"), sent_copy="append")
    assert f"Nothing was written: {file} cannot be written: {os.strerror(number)}" in page.text
    shown = [each.text for each in page.page.iter("pre")]
    assert '+sent_copy = "append"' in shown[0]
    assert shown[1].startswith('[[upstream]]\ndomains = ["example.com"]')
    assert "where that is possible, then have it read the file again." in page.text
    assert file.read_text() == COMMENTED
    assert process.config.upstreams[1].sent_copy == "auto"


def test_a_session_alone_writes_nothing_and_guesses_little(page: XhtmlBrowser, file: Path) -> None:
    seen = []
    for _ in range(7):
        save(page.open("/upstreams/edit?domain=example.com"), "wrong", imap="imaps://evil.example")
        assert page.answer is not None
        seen.append(page.answer.status)
        assert "imaps://evil.example" in page.answer.body.decode()
    assert seen[:5] == [403] * 5
    assert seen[-1] == 429
    assert save(page).text.count("Too many wrong passwords") == 1
    assert file.read_text() == COMMENTED


# --- removing


def session(process: GatewayProcess, number: int, account: int, address: str) -> None:
    """Add a session as signing in does."""
    mark = domain_mark(process._secret, address) if address else ""
    process.state.begin(
        SessionRow(number, b"%d" % number, 0, "", "wml", "", "en", "url", b"", 0.0, 9e9, mark),
        b"%d" % account,
        b"%d" % account,
        lambda *_: pytest.fail("nothing is merged"),
    )


def test_removing_says_what_ends_and_ends_it(page: XhtmlBrowser, file: Path, process: GatewayProcess) -> None:
    for number, account, address in (
        (1, 1, "anna@example.org"), (2, 1, "anna@EXAMPLE.net"), (3, 2, "bob@example.net"), (4, 3, "eve@example.com"),
        (5, 4, ""),
    ):  # fmt: skip
        session(process, number, account, address)
    page.open("/upstreams/remove?domain=example.net")
    assert "sessions of people with addresses of these domains: 3, of 2 accounts" in page.text
    assert "is told that this gateway does not serve them" in page.text
    page.press("Remove")
    assert load(file).upstreams[0].domains == ("example.org", "example.net")
    page.fill("password", PASSWORD).press("Remove")
    assert "Sessions that were ended: 3." in page.text
    assert process.state.sessions.count(1.0) == 2
    assert file.read_text() == COMMENTED.replace(
        COMMENTED[COMMENTED.index("[[up") : COMMENTED.index("\n# the owner")], ""
    )
    page.open("/upstreams/remove?domain=example.com")
    assert "the only upstream" in page.text
    assert "Remove" not in [button.get("value") for button in page.page.iter("input")]


def test_removing_beside_an_upstream_for_any_domain(
    page: XhtmlBrowser, file: Path, process: GatewayProcess
) -> None:
    file.write_text(COMMENTED.replace('["example.com"]', '["*", "example.com"]'))
    process.reload()
    for number, address in enumerate(("a@example.org", "b@example.com", "c@elsewhere.example", "")):
        session(process, number + 1, number + 1, address)
    assert "all other domains (*), example.com" in page.open("/upstreams").text
    assert 'There is an upstream for "*"' in page.open("/upstreams/remove?domain=example.org").text
    assert "of these domains: 2, of 2 accounts" in page.open("/upstreams/remove?domain=*").text
    page.fill("password", PASSWORD).press("Remove")
    assert "Sessions that were ended: 2." in page.text


# --- finding and testing


def test_servers_are_found_tested_and_saved(
    page: XhtmlBrowser, file: Path, process: GatewayProcess, dovecot: Dovecot, smtp_server: SmtpServer,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    from tests.admin.checks.test_find_servers import document, find_servers, server

    (file.parent / "ca.pem").write_bytes(dovecot.ca_file.read_bytes() + smtp_server.ca_file.read_bytes())
    servers = document(server("imap", dovecot.ports["imap"]), server("smtp", smtp_server.port))
    none = find_servers.srv_records.ServiceRecords()
    monkeypatch.setattr(find_servers.srv_records, "look_up", lambda *_: none)
    caplog.set_level(logging.DEBUG)

    def serve(caller: Caller) -> None:
        while caller.hear():
            pass
        caller.say(b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(servers), b"", servers)

    with Peer(serve) as peer:
        monkeypatch.setattr(find_servers, "ISPDB", f"http://127.0.0.1:{peer.port}/v1.1/")
        page.open("/upstreams").fill("address", "finder@found.invalid").fill("ca_file", "ca.pem").press(
            "Find servers"
        )
    assert "TLSv1" in page.text
    page.fill("mail_password", "not-the-word").press("Test")
    assert "FAIL: imap: Wrong address or password" in page.text
    page.fill("mail_password", "secret").press("Test")
    assert "ok: imap takes the password" in page.text
    assert "ok: smtp takes the password" in page.text
    assert 'ok: trash: "Trash"' in page.text
    save(page)
    upstream = load(file).upstreams[2]
    assert upstream.store.url == f"imap+starttls://localhost:{dovecot.ports['imap']}"
    assert upstream.store.ca_file == file.parent / "ca.pem"
    assert "not-the-word" not in caplog.text + file.read_text()
    smtp_server.exclude = ("PLAIN", "LOGIN")
    page.open("/upstreams/edit?domain=found.invalid").fill("ca_file", "").press("Test")
    assert "FAIL" in page.text
    assert "certificate" in page.text
    assert "name its certificate in ca_file" in page.text


@pytest.mark.parametrize(
    "said", [b"hidden-word", b"aGlkZGVuLXdvcmQ=", b"AGFAZXhhbXBsZS5jb20AaGlkZGVuLXdvcmQ="]
)
def test_a_server_that_repeats_the_password_is_not_repeated(page: XhtmlBrowser, said: bytes) -> None:
    def imap(caller: Caller) -> None:
        caller.say(b"* OK [CAPABILITY IMAP4rev1] hello")
        while line := caller.hear():
            tag, _, rest = line.partition(b" ")
            caller.say(tag + (b" NO I heard " + said if b"LOGIN" in rest.upper() else b" OK done"))

    def smtp(caller: Caller) -> None:
        caller.say(b"220 hello")
        while line := caller.hear():
            known = line[:4].upper()
            caller.say(
                *{b"EHLO": (b"250-x", b"250 AUTH PLAIN LOGIN"), b"AUTH": (b"535 I heard " + said,)}.get(
                    known, (b"221 x",)
                )
            )

    with Peer(imap) as reading, Peer(smtp) as sending:
        page.open("/upstreams/edit?domain=example.com")
        page.fill("imap", f"imap://127.0.0.1:{reading.port}").fill("smtp", f"smtp://127.0.0.1:{sending.port}")
        page.fill("address", "a@example.com").fill("mail_password", "hidden-word").press("Test")
    assert page.answer is not None
    for words in ("FAIL: imap: Wrong address or password", "FAIL: smtp:"):
        assert words in page.text
    for word in ("hidden-word", said.decode()):
        assert word not in page.answer.body.decode()


def test_the_gateways_own_password_goes_to_no_server_that_is_not_saved(
    page: XhtmlBrowser, file: Path
) -> None:
    secret = file.parent / "relay.password"
    secret.write_text("hush\n")
    secret.chmod(0o600)

    def serve(caller: Caller) -> None:
        caller.say(b"220 hello")
        while line := caller.hear():
            caller.say(b"250-x", b"250 AUTH PLAIN") if line.upper().startswith(b"EHLO") else caller.say(
                b"221 bye"
            )

    with Peer(serve) as peer:
        page.open("/upstreams/edit?domain=example.com").fill("smtp", f"smtp://127.0.0.1:{peer.port}")
        page.fill("smtp_user", "relay").fill("smtp_password_file", "relay.password")
        page.fill("address", "a@example.com").fill("mail_password", "x").press("Test")
    assert "save first, since this would send the password of smtp_user" in page.text
    assert not any(b"AUTH" in line for line in peer.heard)
    save(page, smtp_password_file="")
    assert "needed together" in page.text
