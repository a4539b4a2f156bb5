"""The table of HTML elements: what each means on a small page.

Nothing here may do anything. The text of unlisted elements is kept (HTML §4, and what mail programs write: o:p,
v:shape, font), as are the fallback content of `object`, `video` and `canvas`, and the text of drawings and formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, auto
from typing import Final

#: What an end tag does.
Close = Callable[[], None]


class Tag(IntEnum):
    """What the reader does at an element. An IntEnum because it hashes faster, and is looked up for each element."""

    INLINE = auto()
    BLOCK = auto()
    HEADING = auto()
    LIST = auto()
    ITEM = auto()
    QUOTE = auto()
    PRE = auto()
    STRONG = auto()
    EMPHASIS = auto()
    CODE = auto()
    LINK = auto()
    PICTURE = auto()
    BREAK = auto()
    RULE = auto()
    TABLE = auto()
    ROW = auto()
    CELL = auto()
    INDENTED = auto()
    FONT = auto()
    CONTROL = auto()
    FORM = auto()
    BASE = auto()
    TEXTAREA = auto()
    AREA = auto()
    PAIR = auto()
    STYLE = auto()
    DROP = auto()


TAGS: Final[dict[str, Tag]] = {
    name: tag
    for tag, names in {
        Tag.BLOCK: "address article aside body center details dialog div dl dt fieldset figcaption figure footer "
        "header legend main nav p section summary tbody thead tfoot caption option html text "
        "foreignobject button",
        Tag.HEADING: "h1 h2 h3 h4 h5 h6",
        Tag.LIST: "ul ol menu dir",
        Tag.ITEM: "li",
        Tag.QUOTE: "blockquote",
        Tag.PRE: "pre xmp listing plaintext",
        Tag.STRONG: "b strong",
        Tag.EMPHASIS: "i em cite dfn var",
        Tag.CODE: "code tt kbd samp",
        Tag.LINK: "a",
        Tag.PICTURE: "img image v:image",
        Tag.BREAK: "br",
        Tag.RULE: "hr",
        Tag.TABLE: "table",
        Tag.ROW: "tr",
        Tag.CELL: "td th",
        Tag.INDENTED: "dd",
        Tag.FONT: "font",
        Tag.CONTROL: "input",
        Tag.STYLE: "style",
        Tag.FORM: "form",
        Tag.BASE: "base",
        Tag.TEXTAREA: "textarea",
        Tag.AREA: "area",
        Tag.PAIR: "mfrac msup msub",
        Tag.DROP: "script title template noembed noframes iframe select datalist xml o:smarttagtype w:worddocument "
        "metadata desc annotation annotation-xml",
    }.items()
    for name in names.split()
}

#: Classes, ids and attributes with which mail programs mark a quoted original (beside blockquote).
QUOTE_CLASSES: Final = frozenset(
    {"yahoo_quoted", "protonmail_quote", "zmail_extra", "moz-forward-container-quote", "mail_android_quote"}
)
QUOTE_IDS: Final = ("yahoo_quoted", "olk_src_body_section", "mail-editor-reference-message-container")
#: Those with which they mark a signature.
SIGNATURE_CLASSES: Final = frozenset(
    {
        "gmail_signature",
        "moz-signature",
        "protonmail_signature_block",
        "signature-text",
        "ms-outlook-mobile-signature",
    }
)
SIGNATURE_IDS: Final = ("ms-outlook-mobile-signature", "applemailsignature", "signature", "x_signature")
