"""Texts of any length that repeat one thing, to see what each further octet costs.

Nothing here may miss a kind: every element, mark and line that a reader knows is in some family.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, islice
from typing import Final

#: Returns a text of about this many octets.
Family = Callable[[int], str]


def repeated(pattern: str, before: str = "", after: str = "") -> Family:
    return lambda size: before + pattern * (size // len(pattern)) + after


def counted(pattern: str, before: str = "", after: str = "") -> Family:
    """Repeat a pattern with a number in place of every `#`."""

    def text(size: int) -> str:
        each = size // len(pattern.replace("#", "12345"))
        return before + "".join(pattern.replace("#", str(10_000 + n)) for n in islice(count(), each)) + after

    return text


def nested(opening: str, closing: str) -> Family:
    def text(size: int) -> str:
        depth = size // len(opening + closing)
        return opening * depth + "x" + closing * depth

    return text


def then(first: str, second: str, before: str = "") -> Family:
    """Repeat one thing, then another as often."""

    def text(size: int) -> str:
        each = size // len(first + second)
        return before + first * each + second * each

    return text


_NAMES: Final = (
    "a href=http://a.example/", "b", "i", "p", "table", "ul", "ol", "li", "blockquote", "font color=red", "span",
    "span style='color:red'", "div", "td", "tr", "dl", "dd", "h1", "pre", "code", "center", "x:y", "svg", "object",
    "select", "form", "q", "body", "style", "script", "title",
)  # fmt: skip

HTML: Final[dict[str, Family]] = {
    "links": counted("<a href='http://example.org/#'>word</a> ", "<p>"),
    "links that touch": counted("<a href='http://example.org/#'>w</a>", "<p>"),
    "one link over and over": repeated("<a href='http://a'>w</a> ", "<p>"),
    "links in bold": counted("<a href='http://e.org/#'>w<b>o</b>rd</a> ", "<p>"),
    "one link of many looks": repeated("a<b>b</b>", "<a href='http://a.example/'>", "</a>"),
    "links without words": counted("<a href='http://e.org/#'><img src=x></a>"),
    **{f"bits of {name}": repeated(f"<{name}>x</{name.split()[0]}> ") for name in _NAMES},
    **{f"open {name}": repeated(f"<{name}>x") for name in _NAMES},
    **{f"nested {name}": nested(f"<{name}>", f"</{name.split()[0]}>") for name in _NAMES},
    **{f"{name}, never closed, and </i>": then(f"<{name}>", "</i>x") for name in ("b", "div", "table", "ul", "x:y")},
    "one <i> under tables": then("<table>", "</i>x", "<i>"),
    "misnested": repeated("<b><p><i></b><table></p></i>x"),
    "misnested cells": repeated("<table><td><b></tr><i></table></td></b>x"),
    "misnested lists": repeated("<ul><li><b></ul><ol></li></b>x"),
    "misnested faces": repeated("<b><i><a href=http://a.example/></b>x</i>y</a>z"),
    "tables in tables": repeated("<table><tr><td>a<td>"),
    "tables of two": repeated("<table><tr><td>a<td>b</table>"),
    "cells": repeated("<td>x", "<table><tr>"),
    "rows": repeated("<tr><td>x<td>y", "<table>"),
    "cells that span": repeated("<tr><td colspan=1000 rowspan=1000>x<td>y", "<table>"),
    "rows of headers": repeated("<tr><th>a<th>b", "<table>"),
    "definitions": repeated("<dt>x<dd>y", "<dl>"),
    "headings": repeated("<h2>x</h2>"),
    "line ends": repeated("<br>"),
    "line ends in text": repeated("x<br>"),
    "rules": repeated("<hr>"),
    "lines of pre": repeated("a  b\n", "<pre>"),
    "quoted lines of pre": repeated("> > a\n", "<pre>"),
    "attributes": counted(" a#=b", "<p", ">x"),
    "attributes alike": repeated(" a=b", "<p", ">x"),
    "styles": counted("<p style='font-size:#px;x:y'>x</p>"),
    "a long style": repeated("color:red;", "<p style='", "'>x"),
    "a long class": repeated("a ", "<p class='", "'>x"),
    "selectors": counted(".a#,#b#{display:none}", "<style>", "</style>x"),
    "selectors of one rule": counted(".a#,", "<style>", "b{display:none}</style>x"),
    "sheets": repeated("<style>.a{color:red}</style><p class=a>x"),
    "braces": repeated("{", "<style>", "</style>x"),
    "comments of a sheet": repeated("/*", "<style>", "</style>x"),
    "entities": repeated("&amp;"),
    "numbers of characters": repeated("&#x200b;&#65;"),
    "entities of nothing": repeated("&x"),
    "comments": repeated("<!-- x -->y"),
    "open comments": repeated("<!--"),
    "open tags": repeated("<a "),
    "less than": repeated("<"),
    "instructions": repeated("<?x "),
    "CDATA": repeated("<![CDATA["),
    "pictures": repeated("<img src='cid:x' alt='a picture'>"),
    "signatures": repeated("<p>-- </p><p>x</p>"),
    "originals": repeated("<p>From: a<br>Sent: b<br>To: c<br>Subject: d</p>"),
}  # fmt: skip

MARKDOWN: Final[dict[str, Family]] = {
    **{
        repr(mark): repeated(mark)
        for mark in (
            "\\", "\\\\ ", "\\a", "[", "]", "[]", "[](", "[a](", "[a](http://b) ", "![a](http://b)", "[[", "](", "(", "*", "**",
            "*a ", "*a* ", "**a** ", "*a **b", "**a*", "_", "__a", "_a", "_a_", "`", "`a` ", "`a", "<http://", "<http://a>",
            "~~~\n", "```\n", "> ", "> > a\n", ">>> x\n", "- a\n", "  - a\n", "1. a\n", "# a\n", "#\n", "a\n===\n", "***\n",
            "|", "| ", "|-|\n", "|a|b|\n|-|-|\n|a|b|\n", "a|\n|-|-\n", "[a]: http://b\n", "[a][b] ", "<b>", "<b>x</b>", "&amp;",
            "a@b.example ", "http://a_b_c_ ", "a\\\n", "a  \n", "a\n\n", "    a\n", "\n", " ",
        )
    },
    "links": counted("[word](http://example.org/#) "),
    "a long address": repeated("x", "[a](http://"),
    "a long code": repeated("x", "`"),
}  # fmt: skip

PLAIN: Final[dict[str, Family]] = {
    **{
        repr(line): repeated(line)
        for line in (
            "word ", "x", ">", "> ", "> > > x\n", ">>>> x\n\n", "| ", "|a\n", "a\n", "\n", " ", "a  b\n", "a    b\tc |\n",
            "+---+ | ", "- - - - - -\n", "-", "1) x\n", "* a\n", "-- \n", "-- \nx\n", "a\n-- \n", "_______________________\nlist\n",
            "On Monday, Anna wrote:\n", "On Monday, Anna wrote:\n> a\n", "From: a\nSent: b\nTo: c\nSubject: d\n",
            "-----Original Message-----\n", "http://example.org/a ", "http://www.", "www.", "a@b.example ", "a@", "mailto:a@b.example?",
            "()", "confidential ", "begin 644 x\nM" + "A" * 60 + "\nend\n", "M" + "A" * 60 + "\n", "if (x) {\n    y;\n}\n",
            "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "$$(x)", "漢字", "\u202e\u2066", "a\u0301",
        )
    },
    "URLs": counted("http://example.org/# "),
    "one URL": repeated("a", "http://example.org/"),
    "brackets in a URL": repeated("()(", "http://example.org/"),
}  # fmt: skip
