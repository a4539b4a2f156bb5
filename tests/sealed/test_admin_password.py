"""admin_password: a hash is of one password, and comparing takes no more memory than it may."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from gateway.errors import AdminBusy
from gateway.sealed import admin_password
from gateway.sealed.admin_password import LONGEST, TOGETHER, hashed, matches


def test_a_hash_is_of_one_password_and_says_how_it_was_made() -> None:
    # OWASP's password storage cheat sheet: 19 MiB, two iterations, one lane.
    phc = hashed("correct horse")
    assert phc.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert matches("correct horse", phc)
    assert not matches("correct hors", phc)
    assert hashed("correct horse") != phc


@pytest.mark.parametrize("password", ["x" * LONGEST, "pässwörd €", "\ud800"])
def test_passwords_of_all_kinds(password: str) -> None:
    assert matches(password, hashed(password))


def test_what_is_too_long_or_was_never_set_matches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not matches("", "")
    long = "x" * (LONGEST + 1)
    phc = hashed(long)
    monkeypatch.setattr(Argon2id, "verify_phc_encoded", None)  # nothing is computed for it
    assert not matches(long, phc)


def test_no_more_than_so_many_are_computed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_password, "PATIENCE_SECONDS", 0.0)
    phc = hashed("right")
    for _ in range(TOGETHER + 1):  # each gives back its place, whether it matched or not
        assert matches("right", phc)
        assert not matches("wrong", phc)
    under_way: list[str] = []

    def verify(password: bytes, _phc: str) -> None:
        under_way.append(password.decode())
        matches(f"{len(under_way)}", phc)

    monkeypatch.setattr(Argon2id, "verify_phc_encoded", verify)
    with pytest.raises(AdminBusy):
        matches("0", phc)
    assert under_way == [str(number) for number in range(TOGETHER)]
