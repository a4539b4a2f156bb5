"""Extracts the messages to translate: from Python by its syntax tree, from the templates by Jinja's.

Nothing here may run what it reads. A msgid is a string literal passed to one of a few functions; the label of an action
that may be on a softkey is extracted a second time, in the context "softkey", for languages whose word is too long.
Babel's own extractors do not know softkeys, or `_("One" if x else "Two")`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from jinja2 import Environment, nodes

from gateway.language import SOFTKEY

ROOT: Final = Path(__file__).resolve().parents[2]
TEMPLATES: Final = ("templates_wml", "templates_mobile")
#: What translates, or marks for translation, called by name; as a method only if no other has that name.
_FUNCTIONS: Final = frozenset({"_", "say", "words", "gettext"})
_METHODS: Final = frozenset({"gettext", "translate"})
_PLURAL: Final = "ngettext"
#: Marks singular and plural in a table, for ngettext(*…) where they are used.
_MARKS_PLURAL: Final = "_n"
#: Which argument of Action says that it goes on a softkey.
_SOFT_ARGUMENT: Final = 3
_SHORT_ARGUMENT: Final = 4
#: Values of a screen that its template puts on a softkey.
_SOFT_VALUES: Final = tuple(map(repr, ("short", "button")))
#: Modules that take a softkey's label from a table, and the possible labels.
_TABLES: Final = {
    "gateway/pages/message_pages.py": ("Next", "Reply"),
    "gateway/web/request/screens.py": ("Yes",),
}
#: What makes an action, or a screen with one, from a softkey's label in `short`.
_MAKERS: Final = frozenset({"Action", "question_screen"})


@dataclass
class Found:
    """What was extracted, as a catalogue without translations, and what could not be."""

    catalogue: Catalog = field(default_factory=Catalog)
    problems: list[str] = field(default_factory=list)

    def add(self, place: str, msgid: str, plural: str = "", context: str | None = None) -> None:
        self.catalogue.add((msgid, plural) if plural else msgid, locations=[(place, 0)], context=context)

    @property
    def entries(self) -> list[tuple[str, str]]:
        """List context and msgid of each message."""
        return [key(message) for message in self.catalogue if message.id]

    def softkeys(self) -> set[str]:
        return {msgid for context, msgid in self.entries if context == SOFTKEY}


def key(message: Message) -> tuple[str, str]:
    """Return context and msgid, which together name a message."""
    return message.context or "", message.id[0] if message.pluralizable else message.id


def collect(root: Path = ROOT) -> Found:
    """Collect from the whole package."""
    found = Found()
    for path in sorted((root / "gateway").rglob("*.py")):
        python(found, path.read_text(encoding="utf-8"), path.relative_to(root).as_posix())
    for folder in TEMPLATES:
        for path in sorted((root / folder).glob("*.xml")):
            template(found, path.read_text(encoding="utf-8"), f"{folder}/{path.name}")
    return found


def python(found: Found, source: str, place: str) -> None:
    """Collect from one module."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            _call(found, node, place)
        for label in _softkey_labels(node):
            _softkey(found, label, place)


def _call(found: Found, call: ast.Call, place: str) -> None:
    name = _name(call)
    if not call.args or not name:
        return
    if name in (_PLURAL, _MARKS_PLURAL):
        texts = [arg.value for arg in call.args[:2] if isinstance(arg, ast.Constant)]
        if len(texts) == 2:
            found.add(place, str(texts[0]), str(texts[1]))
        elif not isinstance(call.args[0], (ast.Name, ast.Starred)):  # handed on
            found.problems.append(f"{place}:{call.lineno}: ngettext needs two texts in quotes")
        return
    for argument in _choices(call.args[0]):
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            if argument.value:
                found.add(place, argument.value)
        elif isinstance(argument, (ast.JoinedStr, ast.BinOp)):
            found.problems.append(f"{place}:{call.lineno}: a text that is put together cannot be translated")


def _name(call: ast.Call) -> str:
    """Name the translating function that is called, '' for another one."""
    if isinstance(call.func, ast.Name) and call.func.id in (*_FUNCTIONS, _PLURAL, _MARKS_PLURAL):
        return call.func.id
    if isinstance(call.func, ast.Attribute) and call.func.attr in (*_METHODS, _PLURAL):
        literal = call.args and isinstance(call.args[0], ast.Constant)
        return call.func.attr if literal or call.func.attr != "translate" else ""
    return ""


def _choices(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the alternatives of `a if … else b` and `a or b`."""
    if isinstance(node, ast.IfExp):
        yield from _choices(node.body)
        yield from _choices(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _choices(value)
    else:
        yield node


def _softkey_labels(node: ast.AST) -> Iterator[ast.expr]:
    """Find the expressions that give the label of a softkey."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and repr(key.value) in _SOFT_VALUES:
                yield value
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MAKERS):
        return
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    if node.func.id != "Action":
        yield from filter(None, (keywords.get("short"),))
        return
    soft = node.args[_SOFT_ARGUMENT] if len(node.args) > _SOFT_ARGUMENT else keywords.get("soft")
    short = node.args[_SHORT_ARGUMENT] if len(node.args) > _SHORT_ARGUMENT else keywords.get("short")
    # If *… hides which softkey it is, only one that goes on a softkey has a short label.
    soft = soft or short
    if soft is None or (isinstance(soft, ast.Constant) and not soft.value):
        return
    label = short or keywords.get("label") or (node.args[0] if node.args else None)
    if label is not None:
        yield label


def _softkey(found: Found, label: ast.expr, place: str) -> None:
    for choice in _choices(label):
        if isinstance(choice, ast.Call) and _name(choice) and isinstance(choice.args[0], ast.Constant):
            found.add(place, str(choice.args[0].value), context=SOFTKEY)
        elif place in _TABLES:
            for msgid in _TABLES[place]:
                found.add(place, msgid, context=SOFTKEY)
        elif not (isinstance(choice, ast.Constant) and not choice.value):
            said = ast.unparse(choice)
            found.problems.append(f'{place}:{label.lineno}: write this softkey as _("…") here: {said}')


def template(found: Found, source: str, place: str) -> None:
    """Collect from one template, and check that it has no words of its own."""
    tree = Environment(autoescape=True).parse(source)
    for call in tree.find_all(nodes.Call):
        name = call.node.name if isinstance(call.node, nodes.Name) else ""
        inner = call.args[0] if call.args else None
        if name == "_":
            if isinstance(inner, nodes.Const):
                found.add(place, inner.value)
        elif name == SOFTKEY and isinstance(inner, nodes.Call) and isinstance(inner.args[0], nodes.Const):
            found.add(place, inner.args[0].value, context=SOFTKEY)
    for label in re.findall(r'<do\b[^>]*\blabel="([^"]*)"', source):
        if not label.startswith("{{ softkey("):
            found.problems.append(f'{place}: write label="{{{{ softkey(…) }}}}" in place of {label}')
    for word in _own_words(tree):
        found.problems.append(f"{place}: {word!r} is not translated")


def _own_words(tree: nodes.Template) -> Iterable[str]:
    """Find letters of a template outside its tags, its style sheet and what it prints."""
    text = "".join(
        part.data if isinstance(part, nodes.TemplateData) else "\0"
        for output in tree.find_all(nodes.Output)
        for part in output.nodes
    )
    text = re.sub(r"(?s)<style.*?</style>", "", text)
    return re.findall(r"[^\W\d_]{2,}", re.sub(r"(?s)<[^<>]*>|&\w+;", "", text))
