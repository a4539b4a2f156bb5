"""Decks to test with: one that uses the whole language, hypothesis generators, and what a deck means.

Nothing here may use our encoder or decoder: `canonical` states the rules of white space and variables independently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape

from hypothesis import strategies as st
from lxml import etree

from gateway.wap.wbxml import tokens

HEAD = (
    '<?xml version="1.0"?>\n<!DOCTYPE wml PUBLIC "-//WAPFORUM//DTD WML %s//EN" '
    '"http://www.wapforum.org/DTD/wml.dtd">\n'
)
FULL = (
    HEAD % "1.3"
    + """<wml xml:lang="en">
<head><meta http-equiv="Cache-Control" content="max-age=0" forua="true"/><access domain="x.org" path="/m"/></head>
<template><do type="prev" name="b" label="Back"><prev/></do></template>
<card id="c1" title="Mail $(n)" newcontext="true" ordered="false" onenterforward="#c2">
 <onevent type="ontimer"><go href="/x?a=1&amp;b=$(v)"/></onevent>
 <timer name="t" value="50"/>
 <do type="accept" label="Send"><go method="post" href="http://www.example.com/send" sendreferer="true"
  enctype="application/x-www-form-urlencoded" cache-control="no-cache" accept-charset="utf-8">
  <setvar name="q" value="1"/><postfield name="to" value="$(to:noesc)"/><postfield name="k" value="$$5"/></go></do>
 <p align="center" mode="nowrap"><b>Bold</b> <i>i</i> <big>B</big> <small>s</small><u>u</u>
 <em>e</em><strong>S</strong><br/>Hello &amp; &lt;x&gt; &quot;q&quot; &apos; &nbsp;&shy; caf&#233; &#x20AC;</p>
 <p>To: <input name="to" type="text" format="*M" maxlength="40" emptyok="true" size="12" title="To" value="a"/>
 <select name="f" title="Folder" multiple="true" ivalue="1" iname="i" tabindex="2"><optgroup title="g">
 <option value="INBOX" onpick="#c2">Inbox</option><option value="Sent">Sent</option></optgroup></select>
 <fieldset title="fs">x</fieldset><anchor title="L">next<go href="#c2"/></anchor>
 <a href="https://www.example.org/a" accesskey="1" class="z">A</a>
 <img src="http://x.org/l.wbmp" alt="L" width="10" height="10" vspace="1" hspace="1" align="middle" localsrc="h"/></p>
 <p><table columns="2" title="T" align="LR"><tr><td>a</td><td>b</td></tr></table></p>
 <pre xml:space="preserve">  pre  </pre>
</card>
<card id="c2"><p>repeat-me-please again</p><p>repeat-me-please again</p>
<do type="options" label="X"><refresh><setvar name="z" value=""/></refresh></do>
<do type="help" label="N"><noop/></do></card>
</wml>"""
)


def deck(body: str, version: str = "1.1") -> str:
    return HEAD % version + f"<wml><card>{body}</card></wml>"


# ---- the same tree -------------------------------------------------------------------------------------------

VARIABLE = re.compile(r"\$(?:(\$)|\((\w+)(?::(\w+))?\)|(\w+))", re.ASCII)


def variables(text: str, attribute: str = "") -> str:
    """Spell all variables alike."""

    def spelled(match: re.Match[str]) -> str:
        if match[1]:
            return "$$"
        default = "escape" if attribute in tokens.HREF_ATTRIBUTES else "noesc"
        conversion = {"e": "escape", "u": "unesc", "n": "noesc"}[(match[3] or default)[0].lower()]
        return f"$({match[2] or match[4]}:{conversion})"

    return VARIABLE.sub(spelled, text)


def canonical(wml: str) -> object:
    """Return what a deck means, by walking its tree: an independent statement of the white space rules."""
    source = re.sub("<!DOCTYPE[^>]*>", "", wml).replace("&nbsp;", "&#160;").replace("&shy;", "&#173;")
    root = etree.fromstring(source.encode(), etree.XMLParser(remove_comments=True, remove_pis=True))

    def content(node: etree._Element, preserve: bool) -> Iterator[object]:
        runs: list[object] = [node.text or ""]
        for child in node:
            runs += [child, child.tail or ""]
        for at, run in enumerate(runs):
            if not isinstance(run, str):
                yield element(run, preserve)
                continue
            before = runs[at - 1] if at else node
            after = runs[at + 1] if at + 1 < len(runs) else node
            if not preserve:
                run = re.sub("[ \t\r\n]+", " ", run)
                run = run.lstrip(" ") if before.tag not in tokens.INLINE else run
                run = run.rstrip(" ") if after.tag not in tokens.INLINE else run
            if run:
                yield variables(run)

    def element(node: etree._Element, preserve: bool) -> object:
        space = {f"{{{XML}}}space": "xml:space", f"{{{XML}}}lang": "xml:lang"}
        attributes = {space.get(name, name): value for name, value in node.attrib.items()}
        said = attributes.get("xml:space")
        preserve = said == "preserve" if said else preserve or node.tag == "pre"
        values = {name: variables(value, name) for name, value in attributes.items()}
        return node.tag, values, list(content(node, preserve))

    return element(root, False)


XML = "http://www.w3.org/XML/1998/namespace"

# ---- decks that hypothesis makes -----------------------------------------------------------------------------

SAMPLE = (
    "the that which other another message message, hello Hello help text top www. .com/ http://www. Www. password "
    "accept clear $$ $$9.99 $(v) $(v:escape) $(long_name:noesc) $v &amp; &lt;x&gt; &#x20AC; &nbsp; Письмо привет это "
    "что 会議 会議室 日本 🙂 🙂🙂 -- ---- «да» ok a b reset options"
)
WORDS = st.sampled_from(SAMPLE.split())
FREE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(
    lambda s: escape(s.replace("$", "$$"))
)
BLANKS = st.sampled_from([" ", " ", " ", " ", "  ", "   ", "\n ", ""])
TEXT = st.lists(st.tuples(st.one_of(WORDS, WORDS, WORDS, FREE), BLANKS), max_size=14).map(
    lambda rows: "".join(word + blank for word, blank in rows)
)
VALUE = TEXT.map(lambda text: text.replace('"', "&quot;").replace("\n", " "))
HREF = st.sampled_from(
    ["3/1a", "12?x=$(v)", "#c", "http://www.example.com/", "https://a.org/b", "../w.com/x", ""]
)


@st.composite
def flow(draw: st.DrawFn, depth: int = 2) -> str:
    kind = draw(st.integers(0, 9 if depth else 4))
    if kind <= 4:
        return draw(TEXT)
    inner = draw(flow(depth=depth - 1))
    match kind:
        case 5:
            return f'<a href="{draw(HREF)}" title="{draw(VALUE)}">{draw(TEXT)}</a>'
        case 6:
            return draw(
                st.sampled_from(["<br/>", '<img alt="x" src="http://x.org/a"/>', "<b></b>", "<p> </p>"])
            )
        case 7:
            field = f'<postfield name="a" value="{draw(VALUE)}"/>'
            return f'<anchor>{draw(TEXT)}<go href="{draw(HREF)}">{field}</go></anchor>'
        case 8:
            return f"<select name='s'><option value=\"{draw(VALUE)}\">{draw(TEXT)}</option></select>{inner}"
    tag = draw(st.sampled_from(["b", "i", "small", "em", "td", "fieldset"]))
    return f"<{tag}>{inner}</{tag}>{draw(TEXT)}"


BLOCK = st.lists(flow(), max_size=4).map(lambda parts: f"<p>{''.join(parts)}</p>")
OTHERS = st.one_of(
    st.builds(
        '<do type="accept" label={}><go href="x" method="post"/></do>'.format, VALUE.map(lambda v: f'"{v}"')
    ),
    st.builds("<pre>{}</pre>".format, TEXT),
    st.builds('<p xml:lang="en" mode="wrap"><input name="n" value="{}" type="text"/></p>'.format, VALUE),
    st.builds('<p title="{}" zzz="{}"/>'.format, VALUE, VALUE),
    st.builds("<unheard><of>{}</of></unheard>".format, TEXT),
)
ELEMENTS = st.lists(st.one_of(BLOCK, BLOCK, OTHERS), min_size=1, max_size=6)
BLOCKS = st.lists(st.one_of(BLOCK, BLOCK, OTHERS, TEXT), min_size=1, max_size=6)
DECKS = st.builds(
    lambda blocks, version: deck("".join(blocks), version), BLOCKS, st.sampled_from(["1.1", "1.2", "1.3"])
)
