"""The line of each key in a TOML text.

`tomllib` returns values without lines, and an error message needs one. Nothing here may validate: the text has been
accepted by tomllib, so it only has to be scanned for keys, strings, arrays and inline tables.
Syntax: TOML 1.0.
"""

from __future__ import annotations

import re
from bisect import bisect_right

KeyPath = tuple[str | int, ...]  # ("upstream", 1, "imap"): the second [[upstream]]'s key

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'''
      """ (?:[^\\]|\\.)*? "{3,5}      # multi-line basic; may end with one or two quotes of its own
    | \'{3} .*? \'{3,5}               # multi-line literal
    | " (?:[^"\\\n]|\\.)* "          # basic
    | \' [^\'\n]* \'                 # literal
    ''',
    re.DOTALL | re.VERBOSE,
)
_PLAIN_VALUE = re.compile(r"[^,\]}#\n]*")  # number, date or boolean; a date may contain a blank
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


class KeyLines:
    """The lines of the keys in one text, counted from 1.

    `headings`: of the headings of tables, by table. `ends`: where the last pair below a heading ends, by its table; ()
    for pairs above all headings.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[KeyPath, int] = {}
        self._counts: dict[KeyPath, int] = {}  # tables seen so far, for each array of tables
        self.headings: dict[KeyPath, int] = {}
        self.ends: dict[KeyPath, int] = {}
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._document()

    def of(self, path: KeyPath) -> int:
        """Return the line of a key, or of the nearest enclosing table that has one, counted from 1."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _note(self, path: KeyPath, at: int) -> None:
        # A table may occur several times ([a.b], then [a]): the first line is where a reader looks.
        self._lines.setdefault(path, self._line(at))

    def _line(self, at: int) -> int:
        return bisect_right(self._breaks, at) + 1

    def _blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _take(self, token: str) -> bool:
        self._blank()
        found = self._text.startswith(token, self._at)
        self._at += len(token) if found else 0
        return found

    def _document(self) -> None:
        prefix: KeyPath = ()
        while True:
            self._blank()
            start = self._at
            if start >= len(self._text):
                return
            if self._take("[["):
                *outer, name = self._key()
                array = (*self._inside(outer), name)
                index = self._counts.get(array, 0)
                self._counts[array] = index + 1
                prefix = (*array, index)
                self._note(array, start)
                self._note(prefix, start)
                self.headings[prefix] = self._line(start)
                self._at = self._text.index("]]", self._at) + 2
            elif self._take("["):
                prefix = self._inside(self._key())
                self.headings[prefix] = self._line(start)
                self._at = self._text.index("]", self._at) + 1
            else:
                self._pair(prefix)
                self.ends[prefix] = self._line(self._at - 1)

    def _inside(self, keys: list[str]) -> KeyPath:
        path: KeyPath = ()
        for key in keys:
            path = (*path, key)
            self._note(path, self._at)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _pair(self, prefix: KeyPath) -> None:
        start = self._at
        path = prefix
        for key in self._key():
            path = (*path, key)
            self._note(path, start)
        self._take("=")
        self._value(path)

    def _key(self) -> list[str]:
        keys = []
        while True:
            self._blank()
            match = _STRING.match(self._text, self._at)
            bare = _BARE_KEY.match(self._text, self._at)
            if match:
                quoted = match.group()
                keys.append(_unescaped(quoted[1:-1]) if quoted[0] == '"' else quoted[1:-1])
                self._at = match.end()
            elif bare:
                keys.append(bare.group())
                self._at = bare.end()
            else:  # not TOML after all: must not loop forever
                self._at = len(self._text)
                return keys or [""]
            if not self._take("."):
                return keys

    def _value(self, path: KeyPath) -> None:
        self._blank()
        match = _STRING.match(self._text, self._at)
        if match:
            self._at = match.end()
        elif self._take("["):
            index = 0
            while self._at < len(self._text) and not self._take("]"):
                self._note((*path, index), self._at)
                self._value((*path, index))
                self._take(",")
                index += 1
        elif self._take("{"):
            while self._at < len(self._text) and not self._take("}"):
                self._blank()
                self._pair(path)
                self._take(",")
        else:
            plain = _PLAIN_VALUE.match(self._text, self._at)
            self._at = max(plain.end() if plain else 0, self._at + 1)


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        code = match.group(1)
        return chr(int(code[1:], 16)) if len(code) > 1 else _ESCAPED.get(code, code)

    return _ESCAPE.sub(one, text)
