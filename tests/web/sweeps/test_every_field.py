"""Whatever is typed into any field of any form: the answer is a good page within its budget, none of it as markup.

What a small device cannot show is shortened; what a form refuses is typed only once (see the tests of each form).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from lxml import etree

from tests.devices.checks import check_deck, check_page
from tests.devices.phones import Answer
from tests.matrix import by_turns
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer
from tests.web.sweeps.everything import FORM, Gateway, form_of, opened, posts

#: One of a kind for `make test`; the others have the same faults in other places.
CHOSEN = {"dollars", "tags", "controls", "lines", "emoji", "imap", "long and wide"}
LETTERS = {
    "dollars": "$(user)$a$$$",
    "tags": "</p></card><card id='x'><script>alert(1)</script>",
    "quotes": '"><img src=\'x\' onerror="y">]]>',
    "entities": "&amp;&#0;&bogus;&lt;",
    "controls": "a\x00b\x01c\x1b[2Jd\x7fe\x85f",
    "lines": "one\r\nBcc: evil@example.org\rtwo\nthree\u2028four\u2029five",
    "directions": "\u202e\u2066gpj.exe\u2069 \u05d0\u05d1\u200f",
    "no characters": "\ufffe\uffff\ufdd0\U0010ffff",
    "emoji": "\U0001f600\U0001f44d\U0001f3fd\u200d\U0001f680",
    "marks": ("a" + "\u0300" * 3) * 100,
    "percents": "%s%(name)s%%{0}{name}%n",
    "encoded": "=?utf-8?q?=0D=0ABcc=3A_evil=40example=2Eorg?=",
    "imap": '") NOT (ALL {3}\r\n\\* %',
    "digits": "9" * 5000,
    "other digits": "\u00b2\u0663",
    "long": "x" * 10_000,
    "long and wide": "\u0436\u20ac " * 3000,
    "blank": " \t\u00a0\u200b ",
    "nothing": "",
}
#: Characters that somebody types into an input without a limit.
UNBOUND = 30
#: What a form requires to be right before it accepts the rest.
KEEP = ("mail", "address", "to", "zone")
#: Sending that many mails proves nothing more; what signs out ends the walk.
LEFT_OUT = {
    "stored_data.delete",
    "signin.submit_wml",
    "signin.submit_xhtml",
    "unsubscribe.submit",
    "folder.change",
}
#: Screens on which nothing can be typed.
UNTYPED = {"act", "undo", "several", "outcomes", "quick"}
#: Screens that show what was typed.
SEEN = (
    "/t", "/t1", "/t1.e", "/t?q=a", "/s", "/sm", "/sm1", "/sg1", "/sq", "/sq8", "/sf", "/sff1", "/q", "/q1", "/z",
    "/ze", "/k", "/i", "/x1", "/skp", "/b3", "/v1", "/sr",
)  # fmt: skip
DEVICES = {
    "latin wml": ("wml", {"Accept-Charset": "iso-8859-1"}),
    "ascii xhtml": ("xhtml", {"Accept-Charset": "us-ascii"}),
}
CASES = [
    case if case.values[0] in CHOSEN else pytest.param(*case.values, marks=pytest.mark.matrix)
    for case in by_turns(LETTERS, [*DEVICES])
]


@pytest.fixture(scope="module")
def gateway(
    dovecot: Dovecot, _smtp: SmtpServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    with opened(dovecot, _smtp, tmp_path_factory.mktemp("fields")) as made:
        yield made


def _judge(answer: Answer, markup: str, where: str, strict: bool = True) -> None:
    """Compare an answer with what its device takes; one to what nobody could type only with the grammar of its
    markup."""
    assert answer.status < 500, (where, answer.status)
    try:
        if markup == "wml":
            check_deck(answer.body, 1396 if strict else 10**6)
            return
        if answer.media_type in ("application/xhtml+xml", "text/html"):
            # What was typed into a field of several lines may by itself be as long as a page.
            page = re.sub(rb"(<textarea[^>]*>).*?(?=</textarea>)", rb"\1", answer.body, flags=re.DOTALL)
            check_page(page if strict else re.sub(rb" value=\"[^\"]{999,}\"", b' value="1"', page), 10_000)
            plain = re.sub(rb"value=\"[^\"]*\"", b"", answer.body.lower())
            assert b"<script" not in plain
            assert b' onerror="' not in plain
    except (AssertionError, ValueError, etree.XMLSyntaxError) as error:
        raise AssertionError(f"{where}: {str(error)[:600]}") from error


def _rooms(page: Answer) -> dict[str, int]:
    """Return which fields of a page can be typed into, and how many characters they take."""
    root = etree.fromstring(page.body)
    found: dict[str, int] = {}
    variables: dict[str, str] = {}
    for element in root.iter():
        name = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if name == "postfield" and re.fullmatch(r"\$\(\w+\)", element.get("value", "")):
            variables[element.get("value")[2:-1]] = element.get("name")
        if name == "textarea" or (name == "input" and element.get("type", "text") == "text"):
            found[element.get("name")] = int(element.get("maxlength", UNBOUND if name == "input" else 10**6))
    return {
        variables.get(name, name): room for name, room in found.items() if name in variables or not variables
    }


@pytest.mark.long(together=True)
@pytest.mark.parametrize(("kind", "device"), CASES)
def test_every_answer_is_a_good_page(gateway: Gateway, kind: str, device: str) -> None:
    text = LETTERS[kind]
    markup, headers = DEVICES[device]
    session = gateway.session(markup=markup)
    faults: list[str] = []

    def judge(answer: Answer, where: str, strict: bool = True) -> None:
        try:
            _judge(answer, markup, where, strict)
        except AssertionError as error:
            faults.append(str(error)[:700])

    right = set(FORM) - set(KEEP)
    for endpoint, path, multipart in posts(gateway):
        if endpoint in LEFT_OUT or endpoint.partition(".")[0] in UNTYPED:
            continue
        form = form_of(gateway, endpoint, path, session.ticket())
        form |= {name: text for name in FORM if name in form}
        judge(gateway.ask("POST", path, session, markup, form, multipart, headers), path, False)
        page = gateway.ask("GET", path, session, markup, more=headers)
        if page.media_type not in ("text/vnd.wap.wml", "application/xhtml+xml", "text/html"):
            continue
        for names in (set(FORM), right):
            # In addresses nobody repeatedly writes letters that take several octets each.
            typed = {
                name: text[: min(room, UNBOUND) if name in KEEP else room]
                for name, room in _rooms(page).items()
                if name in names
            }
            if not typed or (names == right and not set(KEEP) & _rooms(page).keys()):
                continue
            form = form_of(gateway, endpoint, path, session.ticket()) | typed
            answer = gateway.ask("POST", path, session, markup, form, multipart, headers)
            judge(answer, f"{path} {sorted(typed)}")
    for path in SEEN:
        judge(gateway.ask("GET", path, session, markup, more=headers), path)
    assert not faults, "\n".join(faults)
