"""Each wall: the one place in the code where it is, what remains of that without it, and the test that must fail.

Nothing here may be maintained by hand alone: `test_walls` compares the table with docs/security.md, the code and the
tests, and `run` removes each wall.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wall:
    """`standing` is in `file` once, and is replaced by `gone`; `test` is a node of pytest, whose cases are all run."""

    name: str
    file: str
    standing: str
    gone: str
    test: str


WALLS = (
    # --- what is stored
    Wall(
        "a credential opens with token, secret and row only",
        "gateway/sealed/vault.py",
        'source = token.encode("utf-8", "surrogatepass") + secret',
        "source = secret",
        "tests/sealed/test_vault.py::test_each_of_the_three_is_needed",
    ),
    Wall(
        "what is sealed opens in its own place only",
        "gateway/sealed/memory.py",
        'return f"{kind}\\0{name}".encode("utf-8", "surrogatepass")',
        'return b""',
        "tests/sealed/test_memory.py::test_a_thing_in_anothers_place_does_not_open",
    ),
    Wall(
        "the database has digests of tokens, no tokens",
        "gateway/sealed/vault.py",
        'return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()',
        'return token.encode("utf-8", "surrogatepass")',
        "tests/access/test_session.py::test_the_database_holds_neither_password_nor_address_nor_token",
    ),
    Wall(
        "the server secret is readable by its owner only",
        "gateway/sealed/vault.py",
        "if mode & 0o077:",
        "if False:",
        "tests/sealed/test_vault.py::test_a_secret_that_others_reach_is_refused",
    ),
    Wall(
        "a saved form is its account's",
        "gateway/sealed/saved_forms.py",
        "for row in self._state.posted_forms.all(vault.digest(old), account, self._clock()):",
        "for row in self._state.posted_forms.all(vault.digest(old), 1, self._clock()):",
        "tests/sealed/test_kept.py::test_a_text_comes_back_to_the_same_account_with_the_old_token",
    ),
    # --- sessions
    Wall(
        "a session ends when it was not used for long",
        "gateway/access/sessions.py",
        "return self._config.idle_minutes * 60.0",
        "return 1e9",
        "tests/access/test_session.py::test_a_session_ends_when_nobody_comes_and_slides_when_somebody_does",
    ),
    Wall(
        "a token works in the browser that it was given to",
        "gateway/access/sessions.py",
        "if is_another_browser(family, row.family):",
        "if False:",
        "tests/access/test_session.py::test_another_browser_is_refused_and_the_session_lives_on",
    ),
    Wall(
        "scripts and other sites do not get the cookie",
        "gateway/web/request/cookies.py",
        "httponly=True,\n        samesite=samesite,",
        "",
        "tests/web/test_http.py::test_the_session_cookie_has_the_attributes_it_needs",
    ),
    Wall(
        "a cookie that was given over TLS stays there",
        "gateway/web/request/cookies.py",
        "secure=visit.secure",
        "secure=False",
        "tests/web/test_http.py::test_behind_a_proxy_that_speaks_tls_the_cookie_is_secure",
    ),
    Wall(
        "cookies are for the gateway's path alone",
        "gateway/web/request/cookies.py",
        'path=visit.config.path or "/"',
        'path="/"',
        "tests/web/test_under_a_path.py::test_cookies_are_for_the_path_alone",
    ),
    Wall(
        "pages hold no token",
        "gateway/web/request/visit.py",
        "return addresses.relative(adapter.build(endpoint, values, force_external=False), visit.here)",
        "return adapter.build(endpoint, values, force_external=False)",
        "tests/web/test_http.py::test_addresses_are_short_relative_and_hold_no_token",
    ),
    # --- requests
    Wall(
        "a ticket is of the session that posts it",
        "gateway/sealed/vault.py",
        "return nonce if ours and",
        "return nonce if",
        "tests/sealed/test_vault.py::test_a_ticket_of_another_session_is_none",
    ),
    Wall(
        "the same post is done once",
        "gateway/access/idempotency.py",
        "while not (found := claim(session, post)).fresh:",
        "while (found := claim(session, post)) is None:",
        "tests/access/test_idempotency.py::test_an_act_is_done_once_and_a_repeat_is_told_its_outcome",
    ),
    Wall(
        "Host is not believed",
        "gateway/web/request/visit.py",
        "if host in self.config.names else self.config.origin",
        "if host else self.config.origin",
        "tests/web/test_http.py::test_a_redirect_never_takes_host_as_it_comes",
    ),
    Wall(
        "a client is named by listed proxies only",
        "gateway/access/forwarded.py",
        "if nearest is None or not _among(nearest, trusted):",
        "if nearest is None:",
        "tests/access/test_forwarded.py::test_a_stranger_is_not_believed",
    ),
    Wall(
        "a request has one length",
        "gateway/server/http1.py",
        "status = 400  # what is one request here",
        "pass  # what is one request here",
        "tests/server/test_http1.py::test_a_length_and_chunks_at_once_are_refused_and_nothing_behind_them_is_taken",
    ),
    Wall(
        "a header field cannot pass for another",
        "gateway/server/wsgi.py",
        'if b"_" in name or name in (b"proxy",',
        "if name in (",
        "tests/server/test_http1.py::test_a_field_does_not_pass_for_another",
    ),
    Wall(
        "bodies have a limit",
        "gateway/server/bridge.py",
        "if size > BODY_LIMIT + PATIENCE * (most - BODY_LIMIT):",
        "if False:",
        "tests/server/test_slow_requests.py::test_uploads_have_a_limit_of_their_own",
    ),
    Wall(
        "headers have a limit",
        "gateway/server/http1.py",
        "status = 431  # it arrived in one piece",
        "pass",
        "tests/server/test_slow_requests.py::test_headers_are_bounded_in_octets",
    ),
    Wall(
        "of strangers' places one address has its share",
        "gateway/server/admission.py",
        "crowded = held[newcomer.site] >= self._share",
        "crowded = False",
        "tests/server/test_admission.py::test_one_address_has_its_share",
    ),
    # --- WAP phones by UDP
    Wall(
        "an address that is not proven gets three times what it sent",
        "gateway/server/reachability.py",
        "if now >= entry.known_until and entry.sent",
        "if False and entry.sent",
        "tests/server/test_reachability.py::test_three_times_what_came_and_no_more",
    ),
    Wall(
        "a proof is one address's",
        "gateway/server/reachability.py",
        'f"{host} {slot}".encode()',
        'f"{slot}".encode()',
        "tests/server/test_reachability.py::test_a_token_makes_an_address_known_for_a_while",
    ),
    Wall(
        "a proven address has a budget",
        "gateway/server/reachability.py",
        "if not all(budget.take(octets, now) for budget in budgets):",
        "if False:",
        "tests/server/test_reachability.py::test_a_known_address_has_a_budget",
    ),
    Wall(
        "a form in another's name is not posted by them",
        "gateway/server/bearer.py",
        "token = new_token()",
        "pass",
        "tests/server/test_bearer.py::test_a_form_in_a_strangers_name_is_not_posted_by_its_owner",
    ),
    Wall(
        "strangers need a session",
        "gateway/server/bearer.py",
        "if request.session_id is None and not (",
        "if False and not (",
        "tests/server/test_bearer.py::test_without_a_session",
    ),
    Wall(
        "phones are served no other addresses",
        "gateway/server/wap_requests.py",
        "if host not in hosts and not (",
        "if False and not (",
        "tests/server/test_wap_requests.py::test_urls_of_others",
    ),
    Wall(
        "a phone does not say whose it is",
        "gateway/server/wap_requests.py",
        'if key.lower() not in _DROPPED and "_" not in key:',
        "if True:",
        "tests/server/test_wap_requests.py::test_what_a_phone_says_of_addresses_is_not_believed",
    ),
    # --- passwords
    Wall(
        "guesses wait",
        "gateway/access/throttle.py",
        "if decision.wait:\n            raise",
        "if False:\n            raise",
        "tests/access/test_throttle.py::test_guessing_one_account_is_slow",
    ),
    Wall(
        "a guess is counted before the mail server is asked",
        "gateway/access/throttle.py",
        "failures = ACCOUNT_AND_ADDRESS.after_failure(failures, now)",
        "pass",
        "tests/access/test_throttle.py::test_many_at_once_are_no_way_around",
    ),
    Wall(
        "an empty password is none",
        "gateway/access/sessions.py",
        "if not password or max(",
        "if max(",
        "tests/access/test_session.py::test_a_wrong_password_opens_nothing",
    ),
    # --- sending
    Wall(
        "an account sends so much in an hour",
        "gateway/access/mail_submission.py",
        "if until is not None:",
        "if False:",
        "tests/web/test_limits.py::test_more_than_the_limit_is_told_with_a_time_and_sent_after_it",
    ),
    Wall(
        "people send from addresses that are theirs",
        "gateway/access/mail_submission.py",
        "if not self.allows_from(sender):",
        "if False:",
        "tests/account/test_profile.py::test_the_rule_says_whom_a_person_may_send_as",
    ),
    # --- mail servers
    Wall(
        "a command is one line",
        "gateway/store/server_text.py",
        "if _LINE_BREAKERS.search(command):",
        "if False:",
        "tests/store/imap/test_exchange.py::test_no_command_has_two_lines",
    ),
    Wall(
        "a mail server has a certificate for its name",
        "gateway/upstreams/tls.py",
        "    if insecure:\n        context.check_hostname",
        "    if True:\n        context.check_hostname",
        "tests/store/imap/test_opening.py::test_a_certificate_of_an_unknown_authority_is_refused",
    ),
    Wall(
        "no password goes out without TLS",
        "gateway/store/imap/opening.py",
        'raise StoreTLSError("the server does not offer STARTTLS")',
        "return",
        "tests/store/imap/test_opening.py::test_starttls_that_is_not_offered_sends_no_password",
    ),
    Wall(
        "a silent mail server holds half of the threads",
        "gateway/upstreams/shares.py",
        "return max((self._threads - (self._held - queue.all.held)) // 2, 1)",
        "return self._threads",
        "tests/upstreams/test_shares.py::test_a_mute_upstream_holds_half_of_the_threads_and_no_more",
    ),
    # --- mail
    Wall(
        "what a page prints is escaped",
        "gateway/markup/environment.py",
        '("<", "&lt;"), ',
        "",
        "tests/rendition/test_injection.py::test_no_markup_of_headers_survives",
    ),
    Wall(
        "mail sets no variable of WML",
        "gateway/markup/environment.py",
        'return escape(text).replace("$", "$$")',
        "return escape(text)",
        "tests/rendition/test_injection.py::test_no_markup_of_headers_survives",
    ),
    Wall(
        "a browser loads and runs nothing",
        "gateway/markup/security_headers.py",
        "\"default-src 'none'; img-src",
        '"img-src',
        "tests/web/sweeps/test_security_headers.py::test_every_route_says_what_a_browser_may_do_with_its_answer",
    ),
    Wall(
        "no site frames a page",
        "gateway/markup/security_headers.py",
        "    \"frame-ancestors 'none'\"",
        "    \"img-src 'self'\"",
        "tests/web/sweeps/test_security_headers.py::test_every_route_says_what_a_browser_may_do_with_its_answer",
    ),
    Wall(
        "a file of a mail is in a sandbox",
        "gateway/markup/security_headers.py",
        '"sandbox; default-src',
        '"default-src',
        "tests/web/attachments/test_attachments.py",
    ),
    Wall(
        "no file is sent as a page",
        "gateway/message/media_types.py",
        "return row is not None and row.safe",
        "return row is not None",
        "tests/web/attachments/test_attachments.py",
    ),
    Wall(
        "a link in a mail leads to a page of ours first",
        "gateway/web/request/mail_links.py",
        "folder + key",
        "run.link",
        "tests/web/message/test_links.py::test_no_page_of_a_message_holds_a_url_of_the_senders",
    ),
    Wall(
        "requests to others go to public addresses",
        "gateway/outbound/reach.py",
        "return not any(found in network for network in _SPECIAL if network.version == found.version)",
        "return True",
        "tests/outbound/test_outbound.py::test_one_address_that_is_not_public_spoils_all",
    ),
    # --- the log
    Wall(
        "the log has no token",
        "gateway/server/log_lines.py",
        "_KEYS.sub(lambda found: (found[1] or found[2]) + _CUT, text)",
        "text",
        "tests/server/test_log_lines.py::test_tokens_are_removed_wherever_they_stand",
    ),
    Wall(
        "the log has no address",
        "gateway/server/log_lines.py",
        '_LOCAL_PART.sub(f"{_CUT}@", ',
        "str(",
        "tests/server/test_log_lines.py::test_ids_of_links_and_addresses_are_removed",
    ),
    Wall(
        "the log quotes nobody",
        "gateway/server/log_lines.py",
        'return f"{name}: {error}" if isinstance(error, _ABOUT_CODE) else name',
        'return f"{name}: {error}"',
        "tests/server/test_log_lines.py::test_an_exception_is_named_with_its_frames_and_not_with_what_it_quotes",
    ),
    Wall(
        "a form that a server repeats is not in the log",
        "gateway/server/log_lines.py",
        "text = text.replace(typed, _CUT)",
        "pass",
        "tests/server/test_log_lines.py::test_what_was_typed_is_left_out_of_what_a_server_said",
    ),
    Wall(
        "a line of the log is forged by nobody",
        "gateway/server/log_lines.py",
        'if text.isprintable() and "\\\\" not in text:',
        "if True:",
        "tests/server/test_log_lines.py::test_whatever_a_stranger_says_stays_within_its_line",
    ),
    # --- the panel
    Wall(
        "the panel's screens need its password",
        "gateway/admin/panel.py",
        "    if g.admin_session is None:",
        "    if False:",
        "tests/admin/test_panel.py::test_without_a_session_every_screen_leads_to_the_sign_in",
    ),
    Wall(
        "guesses at the panel's password wait",
        "gateway/admin/admin_sessions.py",
        "            if failures.until > now:",
        "            if False:",
        "tests/admin/test_panel.py::test_who_guesses_waits_and_others_do_not",
    ),
    Wall(
        "a form of the panel counts once",
        "gateway/admin/panel.py",
        'not pages.sessions.spend(g.admin_session, request.form.get("ticket", ""))',
        "False",
        "tests/admin/test_panel.py::test_a_form_counts_once_and_needs_its_ticket",
    ),
    Wall(
        "another site posts nothing to the panel",
        "gateway/admin/panel.py",
        'request.method == "POST" and _from_elsewhere()',
        "False",
        "tests/admin/test_panel.py::test_a_form_of_another_site_is_refused",
    ),
    Wall(
        "a new password ends the panel's sessions",
        "gateway/admin/admin_sessions.py",
        "not lives or session.password_hash != phc",
        "not lives",
        "tests/admin/test_panel.py::test_a_new_password_ends_the_sessions",
    ),
    Wall(
        "a session of the panel alone changes no server",
        "gateway/admin/configuring/saving.py",
        'right = current_panel().sessions.is_password(password, request.remote_addr or "")',
        "right = True",
        "tests/admin/test_configuring.py::test_a_session_alone_writes_nothing_and_guesses_little",
    ),
)
