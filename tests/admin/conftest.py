"""A gateway with its panel, without servers or listeners."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from lxml import etree

from gateway.admin.admin_sessions import AdminSessions
from gateway.admin.gateway_process import GatewayProcess
from gateway.admin.panel import create_panel
from gateway.admin.panel_pages import PANEL
from gateway.config import load
from gateway.sealed import admin_password

PASSWORD = "correct horse battery"
FILE = """[http]
listen = "127.0.0.1:8080"

[[upstream]]
domains = ["example.org"]
imap = "imap://127.0.0.1:1"
smtp = "smtp://127.0.0.1:2"
"""
XHTML = {"h": "http://www.w3.org/1999/xhtml"}


@pytest.fixture(scope="session")
def password_hash() -> str:
    """The hash of PASSWORD, made once: it costs 19 MiB and some 50 ms."""
    return admin_password.hashed(PASSWORD)


@pytest.fixture
def process(tmp_path: Path, password_hash: str) -> Iterator[GatewayProcess]:
    """A gateway whose configuration is a file, and whose panel has a password."""
    file = tmp_path / "pocketpost.toml"
    file.write_text(FILE)
    made = GatewayProcess(load(file), file)
    made.state.administration.set_password_hash(password_hash)
    yield made
    made.close()


class Administrator:
    """A browser that is signed in to the panel; every page that it gets is well-formed."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.sessions: AdminSessions = client.application.extensions[PANEL].sessions
        assert client.post("/sign-in", data={"password": PASSWORD}).status_code == 303

    def get(self, path: str, status: int = 200) -> etree._Element:
        """Get a page."""
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return parsed(answer.data)

    def forgive(self) -> None:
        """Forget wrong passwords."""
        self.sessions._failures.clear()

    def post(self, path: str, status: int = 303, **fields: str) -> etree._Element | None:
        """Post a form with a ticket of its session; return the page, None for a redirect."""
        ticket = self.get("/").xpath("string(//h:input[@name='ticket']/@value)", namespaces=XHTML)
        answer = self.client.post(path, data={"ticket": ticket, **fields})
        assert answer.status_code == status, answer.text
        return parsed(answer.data) if status != 303 else None


def parsed(octets: bytes) -> etree._Element:
    """Parse a page of the panel as XML."""
    return etree.fromstring(octets, etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True))


def text_of(page: etree._Element) -> str:
    """Return the words of a page."""
    return " ".join(" ".join(page.xpath("//h:body//text()", namespaces=XHTML)).split())


@pytest.fixture
def administrator(process: GatewayProcess) -> Administrator:
    """A browser that is signed in."""
    return Administrator(create_panel(process).test_client())
