"""visit: relative addresses."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.web.visit import relative


@pytest.mark.parametrize(
    ("target", "base", "said"),
    [
        ("/~T/m1.2", "/~T/i", "m1.2"),
        ("/m1.2", "/i", "m1.2"),
        ("/w", "/~T/m1.2", "../w"),
        ("/", "/~T/i", "../"),
        ("/i?c=1", "/i", "i?c=1"),
        ("/", "/i", "."),
    ],
)
def test_relative(target: str, base: str, said: str) -> None:
    assert urljoin("http://x" + base, said) == "http://x" + target
    assert relative(target, base) == said


_PATH = st.lists(st.text("abc~", min_size=1, max_size=3), min_size=1, max_size=4).map(
    lambda p: "/" + "/".join(p)
)


@given(_PATH, _PATH)
def test_a_relative_address_leads_to_its_target(target: str, base: str) -> None:
    said = relative(target, base)
    assert urljoin("http://x" + base, said) == "http://x" + target
