"""The links of one message are those that `link` makes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import g

from gateway.web.message.message_links import message_links
from gateway.web.request.visit import link
from tests import rig
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

#: Screens of a message, with the letters in their routes.
SCREENS = (
    ("message.first", {}),
    ("compose.reply", {}),
    ("compose.reply", {"variant": "a"}),
    ("more.show", {}),
    ("message_actions.submit", {"letter": "d"}),
    ("message_actions.submit", {"letter": "a"}),
    ("message_actions.neighbour", {"which": "o"}),
    ("drafts.resume", {}),
)


@pytest.mark.parametrize("here", ["/m3.45", "/~token/x3.45.d", "/elsewhere/m3.45/deep"])
@pytest.mark.parametrize("origin", ["", "s1.2", "a b&c"])
def test_they_are_the_same_links(
    here: str, origin: str, dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    config = rig.config(rig.upstream(dovecot, smtp_server))
    with rig.app(config, tmp_path / "state.sqlite") as app, app.test_request_context(here):
        g.visit = SimpleNamespace(origin=origin, here=here)
        made = message_links(12, 345)
        for endpoint, letters in SCREENS:
            assert made(endpoint, **letters) == link(endpoint, number=12, uid=345, **letters), endpoint
