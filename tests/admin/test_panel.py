"""Who gets into the panel, and what its answers carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.access.log_context import FIELDS
from gateway.access.sign_in_log import FAILED
from gateway.admin.admin_sessions import AdminSession
from gateway.admin.gateway_process import GatewayProcess
from gateway.admin.panel import HEADERS, create_panel
from gateway.admin.panel_pages import PANEL
from gateway.errors import AdminBusy
from gateway.sealed import admin_password
from tests.devices.cookie_store import CookieStore
from tests.devices.phones import Answer

from .conftest import PASSWORD, Administrator, text_of


@pytest.fixture
def client(process: GatewayProcess) -> FlaskClient:
    """A browser that is not signed in."""
    return create_panel(process).test_client()


def test_without_a_session_every_screen_leads_to_the_sign_in(client: FlaskClient) -> None:
    rules = [rule for rule in client.application.url_map.iter_rules() if not rule.arguments]
    open_to_all = {"admin_sign_in.form", "admin_sign_in.enter", "style"}
    open_to_all |= {"health.live", "health.ready", "metrics.show"}  # no names; /metrics has a rule of its own
    guarded = [
        (rule.rule, "POST" if "POST" in rule.methods else "GET")
        for rule in rules
        if rule.endpoint not in open_to_all
    ]
    assert guarded
    for path, method in guarded:
        answer = client.open(path, method=method)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in"), path


def test_a_wrong_password_opens_nothing_and_the_right_one_does(client: FlaskClient) -> None:
    wrong = client.post("/sign-in", data={"password": PASSWORD + "x"})
    assert wrong.status_code == 403
    assert "Set-Cookie" not in wrong.headers
    right = client.post("/sign-in", data={"password": PASSWORD})
    assert right.headers["Location"] == "/"
    cookie = right.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert client.get("/").status_code == 200


def test_who_signed_in_over_tls_can_sign_in_over_plain_http_too(process: GatewayProcess) -> None:
    app = create_panel(process)

    def over_wsgi(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        form = {"content_type": "application/x-www-form-urlencoded"} if body else {}
        client = app.test_client(use_cookies=False)
        answer = client.open(url, method=method, data=body, headers=dict(headers), **form)
        cookies = answer.headers.getlist("Set-Cookie")
        return Answer(answer.status_code, dict(answer.headers), answer.data, url, cookies)

    browser = CookieStore(over_wsgi)
    password = urlencode({"password": PASSWORD}).encode()
    for base in ("https://127.0.0.1", "http://127.0.0.1"):
        assert browser("POST", f"{base}/sign-in", {}, password).status == 303
        assert browser("GET", f"{base}/", {}, b"").status == 200, base
    assert {name: one.secure for name, one in browser.kept.items()} == {
        "__Host-pocketpost-admin": True,
        "pocketpost-admin": False,
    }
    ticket = urlencode({"ticket": app.extensions[PANEL].sessions.ticket(_only(app, browser))}).encode()
    assert browser("POST", "https://127.0.0.1/sign-out", {}, ticket).status == 303
    assert {*browser.kept} == {"pocketpost-admin"}


def _only(app: Flask, browser: CookieStore) -> AdminSession:
    """Return the session of the cookie that came over TLS."""
    found = app.extensions[PANEL].sessions.find(browser.kept["__Host-pocketpost-admin"].value)
    assert isinstance(found, AdminSession)
    return found


def test_a_wrong_password_is_a_line_for_fail2ban(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(7):
        client.post("/sign-in", data={"password": "guess"}, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    lines = [record for record in caplog.records if record.message == FAILED]
    assert {record.name for record in lines} == {"gateway.access.sign_in_log"}
    told = [vars(record)[FIELDS] for record in lines]
    assert {fields["client"] for fields in told} == {"192.0.2.7"}
    assert [fields["reason"] for fields in told] == ["WrongPanelPassword"] * 6 + ["TooManyTries"]
    assert "guess" not in caplog.text


def test_without_a_password_no_password_opens_the_panel(process: GatewayProcess, client: FlaskClient) -> None:
    process.state.administration.set_password_hash("")
    assert client.post("/sign-in", data={"password": ""}).status_code == 403


def test_who_guesses_waits_and_others_do_not(client: FlaskClient) -> None:
    codes = [client.post("/sign-in", data={"password": "guess"}).status_code for _ in range(8)]
    assert codes[:5] == [403] * 5
    assert codes[-1] == 429
    assert client.post("/sign-in", data={"password": PASSWORD}).status_code == 429
    elsewhere = {"REMOTE_ADDR": "192.0.2.77"}
    assert (
        client.post("/sign-in", data={"password": PASSWORD}, environ_overrides=elsewhere).status_code == 303
    )


def test_a_new_password_ends_the_sessions(process: GatewayProcess, administrator: Administrator) -> None:
    administrator.get("/")
    process.state.administration.set_password_hash(admin_password.hashed("another good password"))
    assert administrator.client.get("/").status_code == 303


def test_a_form_counts_once_and_needs_its_ticket(administrator: Administrator) -> None:
    assert administrator.client.post("/sign-out").status_code == 409
    page = administrator.get("/")
    ticket = page.xpath("string(//*[@name='ticket']/@value)")
    assert administrator.client.post("/sign-out", data={"ticket": ticket}).status_code == 303
    again = Administrator(administrator.client)
    assert again.client.post("/sign-out", data={"ticket": ticket}).status_code == 409


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.example"}],
)
def test_a_form_of_another_site_is_refused(administrator: Administrator, headers: dict[str, str]) -> None:
    ticket = administrator.get("/").xpath("string(//*[@name='ticket']/@value)")
    answer = administrator.client.post("/sign-out", data={"ticket": ticket}, headers=headers)
    assert answer.status_code == 403
    administrator.get("/")


def test_every_answer_has_the_security_headers(administrator: Administrator) -> None:
    for path in ("/", "/sign-in", "/style.css", "/nowhere"):
        headers = administrator.client.get(path).headers
        for name in HEADERS:
            assert name in headers, (path, name)
        assert "unsafe" not in headers["Content-Security-Policy"]


def test_an_unknown_page_is_said(administrator: Administrator) -> None:
    assert "There is no such page." in text_of(administrator.get("/nowhere", 404))


def test_the_handhelds_listener_has_no_panel(process: GatewayProcess) -> None:
    handheld = process.app.test_client()
    handheld_paths = {rule.rule for rule in process.app.url_map.iter_rules()}
    panel_paths = {rule.rule for rule in create_panel(process).url_map.iter_rules()} - {"/"}
    assert not handheld_paths & panel_paths
    for path in ("/admin", "/sign-out", "/style.css", "/health/live", "/metrics"):
        assert handheld.get(path).status_code in (403, 404, 405), path


def test_no_more_than_two_passwords_are_compared_at_a_time(
    monkeypatch: pytest.MonkeyPatch, password_hash: str
) -> None:
    monkeypatch.setattr(admin_password, "PATIENCE_SECONDS", 0.0)
    with admin_password._places, admin_password._places, pytest.raises(AdminBusy):
        admin_password.matches(PASSWORD, password_hash)
    assert admin_password.matches(PASSWORD, password_hash)


def test_another_configuration_is_served_without_a_restart(process: GatewayProcess) -> None:
    before = process.app
    waiting = process.apply(replace(process.config, timezone="Europe/Berlin", threads=3))
    assert process.app is not before
    assert process.config.timezone == "Europe/Berlin"
    assert waiting == ("threads",)
