"""vault: what is sealed can be opened with all three of token, secret and row, and with nothing less."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConfigError, SessionEnded
from gateway.sealed import vault
from gateway.sealed.vault import TicketedPost
from tests import PATIENCE

SECRET = bytes(range(32))
OTHER_SECRET = bytes(range(1, 33))
TOKEN = "Tm9ib2R5IGtub3dzIHRoaX"
URL_SAFE = re.compile(r"[A-Za-z0-9_-]+")


# The keys


@given(st.text(max_size=80), st.binary(max_size=80), st.binary(max_size=40))
def test_keys_are_those_of_hkdf(token: str, secret: bytes, purpose: bytes) -> None:
    source = token.encode("utf-8", "surrogatepass") + secret
    expected = HKDF(SHA256(), length=32, salt=None, info=b"pocketpost " + purpose).derive(source)
    assert vault._key(token, secret, purpose) == expected


# The server secret


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    made = vault.server_secret(path)
    assert len(made) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert vault.server_secret(path) == made
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]
    assert vault.server_secret(tmp_path / "another") != made


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_secret_that_others_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    vault.server_secret(path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match="others may read it"):
        vault.server_secret(path)


def test_a_secret_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    with pytest.raises(ConfigError, match="shorter than 32"):
        vault.server_secret(path)
    with pytest.raises(ConfigError, match="No such file"):
        vault.server_secret(tmp_path / "nowhere" / "secret")
    with pytest.raises(ConfigError, match="Is a directory"):
        vault.server_secret(tmp_path)


def test_processes_that_begin_together_have_one_secret(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from gateway.sealed.vault import server_secret\n"
        "print(flush=True); sys.stdin.readline(); print(server_secret(Path(sys.argv[1])).hex())"
    )
    path = tmp_path / "secret"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    assert {child.communicate(timeout=PATIENCE)[0].strip() for child in children} == {path.read_bytes().hex()}


def test_a_secret_made_meanwhile_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    made = vault.server_secret(path)
    monkeypatch.setattr(Path, "exists", lambda self: False)  # as it was a moment ago
    assert vault.server_secret(path) == made
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


# Tokens


def test_tokens_are_132_random_bits_that_stand_in_a_url() -> None:
    tokens = {vault.new_token() for _ in range(500)}
    assert len(tokens) == 500
    assert all(len(token) == 22 and URL_SAFE.fullmatch(token) and vault.is_token(token) for token in tokens)
    for place in range(22):  # no character is fixed, not even the last one
        assert len({token[place] for token in tokens}) > 50


@pytest.mark.parametrize(
    "text", ["", TOKEN[1:], TOKEN + "a", TOKEN[1:] + "\n", TOKEN[1:] + "é", TOKEN + "\n", TOKEN[1:] + "="]
)
def test_what_is_no_token(text: str) -> None:
    assert not vault.is_token(text)


@given(st.text())
def test_anything_has_a_digest(text: str) -> None:
    assert len(vault.digest(text)) == 32
    assert (vault.digest(text) == vault.digest(TOKEN)) is (text == TOKEN)


# Sealing


@given(st.binary(max_size=200), st.integers(0, 2**63 - 1))
def test_what_is_sealed_opens(plain: bytes, row_id: int) -> None:
    sealed = vault.seal(plain, TOKEN, SECRET, row_id)
    assert vault.unseal(sealed, TOKEN, SECRET, row_id) == plain
    assert vault.seal(plain, TOKEN, SECRET, row_id) != sealed
    assert len(plain) < 4 or plain not in sealed


@pytest.mark.parametrize(
    ("token", "secret", "row_id"),
    [(TOKEN[:-1] + "Y", SECRET, 7), (TOKEN, OTHER_SECRET, 7), (TOKEN, SECRET, 8)],
)
def test_each_of_the_three_is_needed(token: str, secret: bytes, row_id: int) -> None:
    sealed = vault.seal(b"password", TOKEN, SECRET, 7)
    with pytest.raises(SessionEnded):
        vault.unseal(sealed, token, secret, row_id)


@given(st.data())
def test_a_changed_octet_does_not_open(data: st.DataObject) -> None:
    sealed = bytearray(vault.seal(b"password", TOKEN, SECRET, 7))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SessionEnded):
        vault.unseal(bytes(sealed), TOKEN, SECRET, 7)


@given(st.binary(max_size=40))
def test_noise_does_not_open(noise: bytes) -> None:
    for sealed in (noise, b"\x01" + noise):
        with pytest.raises(SessionEnded):
            vault.unseal(sealed, TOKEN, SECRET, 7)


# Tickets


def test_a_ticket_is_short_and_its_own() -> None:
    tickets = [vault.ticket(TOKEN, SECRET) for _ in range(200)]
    assert all(len(ticket) == 18 and URL_SAFE.fullmatch(ticket) for ticket in tickets)
    nonces = {vault.check_ticket(ticket, TOKEN, SECRET) for ticket in tickets}
    assert None not in nonces
    assert len(nonces) == 200


@pytest.mark.parametrize(("token", "secret"), [(TOKEN[:-1] + "Y", SECRET), (TOKEN, OTHER_SECRET)])
def test_a_ticket_of_another_session_is_none(token: str, secret: bytes) -> None:
    assert vault.check_ticket(vault.ticket(TOKEN, SECRET), token, secret) is None


@given(st.one_of(st.text(max_size=30), st.from_regex(r"[A-Za-z0-9_-]{18}", fullmatch=True)))
def test_an_invented_ticket_is_none(text: str) -> None:
    assert vault.check_ticket(text, TOKEN, SECRET) is None


@given(st.integers(0, 17), st.sampled_from("AbC9_-"))
def test_a_changed_ticket_is_none(place: int, character: str) -> None:
    ticket = vault.ticket(TOKEN, SECRET)
    changed = ticket[:place] + character + ticket[place + 1 :]
    assert (vault.check_ticket(changed, TOKEN, SECRET) is not None) is (changed == ticket)


@given(st.text(max_size=30), st.binary(max_size=60), st.binary(max_size=60))
def test_an_act_is_a_ticket_and_what_is_posted_with_it(ticket: str, one: bytes, other: bytes) -> None:
    act = TicketedPost.of(ticket, one)
    assert act == TicketedPost.of(ticket, one)
    assert (act.mark == TicketedPost.of(ticket, other).mark) is (one == other)
    assert act.mark != TicketedPost.of(ticket + "A", one).mark
    assert vault.post_mark(act.name) == act.mark
    assert act.key == vault.digest(ticket)
    assert ticket not in repr(act) or len(ticket) < 3


@pytest.mark.parametrize("text", ["", "A" * 15, "A" * 17, "A" * 15 + "\n", "\u0663" * 16, "A" * 15 + "="])
def test_what_is_no_name_of_an_act_is_none(text: str) -> None:
    assert vault.post_mark(text) is None


def test_tickets_and_seals_have_different_keys() -> None:
    assert vault._key(TOKEN, SECRET, b"ticket") != vault._key(TOKEN, SECRET, b"credential")
