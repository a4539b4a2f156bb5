"""visit: from where a session's token is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.office import Office


@pytest.mark.parametrize("via", ["url", "cookie"])
def test_a_token_opens_its_session_only_where_it_was_given_to(
    via: Literal["url", "cookie"], dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    office = Office(dovecot, smtp_server, tmp_path)
    office.anew("via@example.net")
    agent = "Mozilla/5.0"
    session = office.sessions.open(
        "via@example.net",
        "secret",
        device="",
        markup="xhtml",
        user_agent=agent,
        language="en",
        via=via,
        remote="192.0.2.1",
    )
    headers = {"User-Agent": agent, "Accept": "text/html"}
    in_path = office.transport("GET", f"http://pp.example:8080/~{session.token}/i", headers, b"")
    in_cookie = office.transport(
        "GET", "http://pp.example:8080/i", headers | {"Cookie": f"s={session.token}"}, b""
    )
    opened = {"url": in_path, "cookie": in_cookie}
    for way, answer in opened.items():
        assert (b"Password" in answer.body) is (way != via), way
    office.closing.close()
