"""editing: a changed text reads as intended, and everything else in it stays as it was written."""

from __future__ import annotations

import copy
import difflib
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import load
from gateway.config.editing import BOM, OptionEdit, block, edited
from gateway.config.reference import sample
from gateway.config.toml_lines import KeyLines, KeyPath
from gateway.errors import ConfigError

HAND = """\
# The gateway of the bakery. Ask Ida before you change it.
[http]
listen = "127.0.0.1:8080" # nginx stands before it
threads = 0x10            # sixteen

# The provider of the shop
[[upstream]]
domains = [
  "example.org", # the shop
  "example.net",
]
imap = 'imaps://mail.example.org'
smtp = "smtps://mail.example.org"
special = { sent = "Sent Items" } # as Outlook names it

# The provider of the owner
[[upstream]]
  domains = ["example.com"]
  pop3 = "pop3s://pop.example.com"
  smtp = "smtps://smtp.example.com"
  [upstream.special]
  trash = "Bin"

# Only from here
[admin]
listen = "127.0.0.1:8090"
"""


def lines_changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Return the lines that were removed and those that were added; blank ones do not count."""
    found = [*difflib.ndiff(before.splitlines(), after.splitlines())]
    went, came = ([line[2:] for line in found if line[0] == sign and line[2:]] for sign in "-+")
    return went, came


@pytest.mark.parametrize(
    ("path", "value", "went", "came"),
    [
        (("http", "threads"), 17, ["threads = 0x10            # sixteen"],
         ["threads = 17            # sixteen"]),
        (("http", "threads"), 16, [], []),
        (("http", "url"), 'http://"x\\', [], ['url = "http://\\"x\\\\"']),
        (("http", "listen"), None, ['listen = "127.0.0.1:8080" # nginx stands before it'], []),
        (("http", "names"), ["a", "b"], [], ['names = ["a", "b"]']),
        (("upstream", 0, "domains"), ["example.org", "example.edu"], ['  "example.net",'], ['  "example.edu",']),
        (("upstream", 0, "insecure"), True, [], ["insecure = true"]),
        (("upstream", 1, "smtp"), "smtps://x", ['  smtp = "smtps://smtp.example.com"'], ['  smtp = "smtps://x"']),
        (("upstream", 1, "ca_file"), "ca.pem", [], ['  ca_file = "ca.pem"']),
        (("upstream", 1, "special"), {"trash": "Bin", "sent": "Out"}, [], ['  sent = "Out"']),
        (("display", "timezone"), "UTC", [], ["[display]", 'timezone = "UTC"']),
        (("admin", "cert"), "c.pem", [], ['cert = "c.pem"']),
    ],
)  # fmt: skip
def test_only_what_is_changed_changes(path: KeyPath, value: Any, went: list[str], came: list[str]) -> None:
    assert lines_changed(HAND, edited(HAND, [OptionEdit(path, value)])) == (went, came)


def test_an_array_that_is_written_in_lines_keeps_their_comments() -> None:
    after = edited(
        HAND, [OptionEdit(("upstream", 0, "domains"), ["example.org", "example.net", "example.edu"])]
    )
    assert '  "example.org", # the shop' in after.splitlines()
    assert tomllib.loads(after)["upstream"][0]["domains"] == ["example.org", "example.net", "example.edu"]
    turned = edited(HAND, [OptionEdit(("upstream", 0, "domains"), ["example.net", "example.org"])])
    assert tomllib.loads(turned)["upstream"][0]["domains"] == ["example.net", "example.org"]


def test_a_table_of_an_array_comes_behind_the_last_and_before_what_follows() -> None:
    new = {"domains": ["example.edu"], "imap": "imaps://x", "special": {"junk": "Spam"}}
    after = edited(HAND, [OptionEdit(("upstream", 2), new)])
    assert lines_changed(HAND, after) == (
        [],
        ["[[upstream]]", 'domains = ["example.edu"]', 'imap = "imaps://x"', 'special = {junk = "Spam"}'],
    )
    assert tomllib.loads(after)["upstream"][2] == new
    assert after.index("example.edu") < after.index("# Only from here")
    assert block(after, ("upstream", 2)).splitlines()[0] == "[[upstream]]"


@pytest.mark.parametrize("number", [0, 1])
def test_a_table_of_an_array_goes_with_its_lines_and_no_others(number: int) -> None:
    after = edited(HAND, [OptionEdit(("upstream", number), None)])
    went, came = lines_changed(HAND, after)
    own = block(HAND, ("upstream", number)).splitlines()
    assert came == []
    assert [line for line in went if line not in own] == []
    for comment in ("# The provider of the shop", "# The provider of the owner", "# Only from here"):
        assert comment in after.splitlines()
    assert "\n\n\n" not in after
    assert tomllib.loads(after)["upstream"] == [tomllib.loads(HAND)["upstream"][1 - number]]


def test_in_the_sample_a_value_comes_below_its_commented_example(tmp_path: Path) -> None:
    changes = [
        OptionEdit(("http", "url"), "http://m.example.org"),
        OptionEdit(("display", "timezone"), "Europe/Berlin"),
        OptionEdit(("session", "idle_minutes"), 30),
        OptionEdit(("upstream", 0, "sent_copy"), "provider"),
        OptionEdit(("upstream", 0, "imap"), None),
        OptionEdit(("upstream", 0, "pop3"), "pop3s://pop.example.org"),
    ]
    after = edited(sample(), changes).splitlines()
    for example, value in (
        ('# url = "http://m.example.org"', 'url = "http://m.example.org"'),
        ('# timezone = "Europe/Berlin"', 'timezone = "Europe/Berlin"'),
        ("# idle_minutes = 720", "idle_minutes = 30"),
        ('# sent_copy = "append"', 'sent_copy = "provider"'),
        ('# pop3 = "pop3s://mail.example.org"', 'pop3 = "pop3s://pop.example.org"'),
    ):
        assert after[after.index(example) + 1] == value
    assert "[display]" in after
    config = load(tmp_path / "x.toml", "\n".join(after).encode())
    assert (config.timezone, config.idle_minutes, config.upstreams[0].sent_copy) == (
        "Europe/Berlin",
        30,
        "provider",
    )
    back = edited(
        "\n".join(after), [OptionEdit(("display", "timezone"), None), OptionEdit(("http", "url"), None)]
    )
    assert "timezone" not in tomllib.loads(back)["display"]


@pytest.mark.parametrize(
    "text",
    [
        'upstream = [{domains = ["a"], imap = "i"},\n  {domains = ["b"]}] # both\n',
        ('http.listen = "l" # why\nhttp."names" = []\n[[upstream]]\ndomains = ["a"]\nimap = "i"\n'
        '[[upstream]]\ndomains=["b"]'),
        '[[upstream]]\ndomains = ["a"]\nimap = "i"\n[http]\nlisten = "l"\n[[upstream]]\ndomains = ["b"]\n[display]\n',
        '[[ "upstream" ]]\n"domains" = ["a"]\n\'imap\' = "i"\n[[upstream]]\ndomains=["b"]\n["http"]\n',
        'http = { listen = "l" } # h\n[[upstream]]\ndomains = ["a"]\nimap = """i"""\n[[upstream]]\ndomains = ["b"]\n',
        ('[[upstream]]\ndomains = ["a"]\nimap = "i"\nnote = """\n# sent_copy = 1\n[[upstream]]\n"""\n'
        '[[upstream]]\ndomains = ["b"]'),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "change",
    [
        OptionEdit(("http", "url"), "u"),
        OptionEdit(("http", "listen"), "other"),
        OptionEdit(("http", "listen"), None),
        OptionEdit(("upstream", 0, "imap"), "other"),
        OptionEdit(("upstream", 0, "imap"), None),
        OptionEdit(("upstream", 0, "sent_copy"), "auto"),
        OptionEdit(("upstream", 1, "special"), {"sent": "S"}),
        OptionEdit(("upstream", 1, "domains"), ["b", "c"]),
        OptionEdit(("upstream", 0), None),
        OptionEdit(("upstream", 1), None),
        OptionEdit(("upstream", 2), {"domains": ["d"], "insecure": True}),
    ],
)
def test_however_it_is_written(text: str, change: OptionEdit) -> None:
    after = edited(text, [change])
    assert tomllib.loads(after) == wanted(tomllib.loads(text), change)
    for comment in ("# why", "# both", "# h"):
        assert (comment in after) or (comment not in text) or change.path[-1] == "listen"


def wanted(data: dict[str, Any], change: OptionEdit) -> dict[str, Any]:
    """Return what a document should be after a change, computed independently of `editing`."""
    made = copy.deepcopy(data)
    match change.path, change.value:
        case (str(section), str(key)), None:
            made.get(section, {}).pop(key, None)
        case (str(section), str(key)), value:
            made.setdefault(section, {})[key] = value
        case (str(section), int(number)), None:
            del made[section][number]
        case (str(section), int(number)), value:
            made[section].append(value)
        case (str(section), int(number), str(key)), None:
            made[section][number].pop(key, None)
        case (str(section), int(number), str(key)), value:
            made[section][number][key] = value
    return made


def test_line_ends_and_the_byte_order_mark_stay(tmp_path: Path) -> None:
    text = BOM + HAND.replace("\n", "\r\n")
    changes = [
        OptionEdit(("http", "url"), "http://m.example.org"),
        OptionEdit(("upstream", 2), {"domains": ["x.example"], "imap": "imaps://x", "smtp": "smtps://x"}),
        OptionEdit(("upstream", 0), None),
    ]
    after = edited(text, changes)
    assert after.startswith(BOM)
    assert after.count("\n") == after.count("\r\n")
    file = tmp_path / "pocketpost.toml"
    file.write_bytes(after.encode())
    assert load(file).url == "http://m.example.org"
    mixed = edited("# a\r\n[http]\nthreads = 1\r\n", [OptionEdit(("http", "threads"), 2)])
    assert mixed == "# a\r\n[http]\nthreads = 2\r\n"


def test_what_no_way_leads_to_is_said() -> None:
    with pytest.raises(ConfigError, match="change it by hand"):
        edited("http = 1\n", [OptionEdit(("http", "url"), "x")])
    with pytest.raises(ConfigError):
        edited("not toml", [OptionEdit(("http", "url"), "x")])


# --- properties


VALUES = st.text(st.characters(codec="utf-8"), max_size=12) | st.integers(0, 99) | st.booleans()
LISTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=6), min_size=1, max_size=4, unique=True)
KEYS = st.sampled_from(["listen", "url", "threads", "names"])
SPACE = st.sampled_from(["", " ", "  "])


def _literal(value: Any) -> str:
    return tomlkit.item(value).as_string()


@st.composite
def tables(draw: st.DrawFn, heading: str, count: list[int]) -> str:
    """Write a table with comments that are all different, in any layout."""

    def comment() -> str:
        count[0] += 1
        return f"{draw(SPACE)}# c{count[0]} [x] = {draw(KEYS)}"

    out = [comment() for _ in range(draw(st.integers(0, 2)))] + [heading]
    for key in draw(st.lists(KEYS, unique=True, max_size=3)):
        out += [comment() for _ in range(draw(st.integers(0, 1)))]
        out += [""] * draw(st.integers(0, 1))
        value = draw(VALUES | LISTS)
        if isinstance(value, list) and draw(st.booleans()):
            inner = "\n".join(f"  {_literal(item)}, {comment()}" for item in value)
            out.append(f"{key} = [\n{inner}\n]")
        else:
            out.append(f"{draw(SPACE)}{key}{draw(SPACE)}= {_literal(value)} {comment()}")
    return "\n".join(out) + "\n" + "\n" * draw(st.integers(0, 2))


@st.composite
def documents(draw: st.DrawFn) -> str:
    count = [0]
    headings = ["[http]", *["[[upstream]]"] * draw(st.integers(1, 3)), "[display]"]
    order = draw(st.permutations(headings))
    return "".join(draw(tables(heading, count)) for heading in order)


@st.composite
def changes(draw: st.DrawFn) -> OptionEdit:
    path: KeyPath = draw(st.sampled_from([("http",), ("admin",), ("upstream", 0), ("display",)]))
    if draw(st.integers(0, 4)) == 0:
        return OptionEdit(("upstream", 0), None)
    return OptionEdit((*path, draw(KEYS)), draw(VALUES | LISTS | st.none()))


@given(documents(), st.lists(changes(), max_size=3))
def test_any_text_after_any_changes_reads_as_it_must_and_keeps_its_comments(
    text: str, wishes: list[OptionEdit]
) -> None:
    for change in wishes:
        data = tomllib.loads(text)
        if not data.get("upstream") and change.path[0] == "upstream":
            continue
        after = edited(text, [change])
        expected = wanted(data, change)
        if not expected.get("upstream"):
            expected.pop("upstream", None)
        assert tomllib.loads(after) == expected
        gone = _own_lines(text, change.path)
        for line in text.splitlines():
            if line.lstrip().startswith("#") and line not in gone:
                assert line in after.splitlines()
        text = after


def _own_lines(text: str, path: KeyPath) -> list[str]:
    """Return the lines that may be removed with a key or a table: its own, and what follows a table until a blank
    line."""
    known, lines = KeyLines(text), text.splitlines()
    if isinstance(path[-1], str):
        found = tomllib.loads(text)
        for part in path:
            if isinstance(found, dict) and part not in found:
                return []
            found = found[part]  # type: ignore[index]
        first = known.of(path) - 1
        return (
            lines[first : first + len(str(found)) + 2]
            if isinstance(found, list)
            else lines[first : first + 1]
        )
    first = known.headings[path] - 1
    last = known.ends.get(path, first + 1)
    while last < len(lines) and lines[last].lstrip().startswith("#"):
        last += 1
    return lines[first:last]
