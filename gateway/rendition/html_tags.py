"""HTML elements as a table: what each one means to a small page.

Nothing here may do anything. Elements that are not named are read through: their text stays (HTML §4, and what
mail programs write: o:p, v:shape, font).
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final


class Tag(Enum):
    """What the reader does at an element."""

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
    STYLE = auto()
    DROP = auto()


TAGS: Final[dict[str, Tag]] = {
    name: tag
    for tag, names in {
        Tag.BLOCK: "address article aside body center details dialog div dl dt fieldset figcaption figure footer "
        "form header legend main nav p section summary tbody thead tfoot caption option textarea html noframes",
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
        Tag.DROP: "script title template noembed iframe object applet embed svg math canvas audio video map select "
        "datalist frameset head-drop xml o:smarttagtype w:worddocument",
    }.items()
    for name in names.split()
}

#: Elements that never have content: libxml2 ends them at once, but unknown ones of their kind must not pile up.
VOID: Final = frozenset(
    ["area", "base", "br", "col", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)

#: Classes, ids and attributes by which mail programs mark a quoted original (beside blockquote).
QUOTE_CLASSES: Final = frozenset(
    {"yahoo_quoted", "protonmail_quote", "zmail_extra", "moz-forward-container-quote", "mail_android_quote"}
)
QUOTE_IDS: Final = ("yahoo_quoted", "olk_src_body_section", "mail-editor-reference-message-container")
#: Classes by which they mark a signature.
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
