"""mailto: suggested mails, and the ways to leave a list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.headers import mailto
from gateway.message.headers.address_lists import valid
from gateway.message.model import Envelope, Message, Part


def specs(found: mailto.Mailto) -> list[str]:
    return [address.spec for address in found.to]


def test_rfc_6068_examples() -> None:
    assert specs(mailto.parse("mailto:chris@example.com")) == ["chris@example.com"]
    one = mailto.parse("mailto:list@example.com?subject=Re:%20a&body=send%20x%0D%0Asend%20index")
    assert (one.subject, one.text) == ("Re: a", "send x\nsend index")
    assert specs(mailto.parse("mailto:a@example.com,b@example.com?cc=c@example.com&to=d@example.com")) == [
        "a@example.com",
        "b@example.com",
        "c@example.com",
        "d@example.com",
    ]
    assert specs(mailto.parse("mailto:gorby%25kremvax@example.com")) == ["gorby%kremvax@example.com"]
    assert mailto.parse("mailto:u@example.org?subject=caf%C3%A9").subject == "café"
    assert mailto.parse("mailto:u@example.org?subject=1+1").subject == "1+1"


def test_other_headers_and_line_ends_go_nowhere() -> None:
    found = mailto.parse(
        "mailto:a@example.com?bcc=spy@example.com&attach=/etc/passwd&subject=x%0D%0ABcc:%20y@z.example"
    )
    assert specs(found) == ["a@example.com"]
    assert found.subject == "x Bcc: y@z.example"


def offering(listed: str, post: str) -> Message:
    headers = {"list-unsubscribe": listed, "list-unsubscribe-post": post}
    return Message(Envelope(), Part("1", "text/plain"), headers=headers)


UNSUBSCRIBE = "<mailto:out@list.example?subject=out>, <https://list.example/u?a=1,2>"


@pytest.mark.parametrize(
    ("listed", "post", "one_click", "web", "mail"),
    [
        ("", "", "", "", ""),
        (UNSUBSCRIBE, "", "", "https://list.example/u?a=1,2", "out@list.example"),
        (UNSUBSCRIBE, "List-Unsubscribe=One-Click", "https://list.example/u?a=1,2", "https://list.example/u?a=1,2",
         "out@list.example"),
        ("<http://list.example/>", "List-Unsubscribe=One-Click", "", "http://list.example/", ""),
        ("<https://list.example/lo ng\t>", "list-unsubscribe = one-click", "https://list.example/long",
         "https://list.example/long", ""),
        ("<javascript:alert(1)>, <ftp://x.example/>, <mailto:>", "List-Unsubscribe=One-Click", "", "", ""),
        ("https://bare.example/", "", "", "", ""),
    ],
)  # fmt: skip
def test_ways_out_of_a_list(listed: str, post: str, one_click: str, web: str, mail: str) -> None:
    found = mailto.unsubscribe(offering(listed, post))
    assert (found.one_click, found.web) == (one_click, web)
    assert [address.spec for address in found.mail.to] == [mail] if found.mail else mail == ""
    assert bool(found) == bool(web or mail)


@given(st.text(max_size=300))
def test_anything_is_read(text: str) -> None:
    found = mailto.parse("mailto:" + text)
    assert all(valid(address.spec) for address in found.to)
    assert "\n" not in found.subject
    assert "\r" not in found.text
    mailto.unsubscribe(offering(text, text))
