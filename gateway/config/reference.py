"""The commented sample and docs/configuration.md, printed from the table of options."""

from __future__ import annotations

from textwrap import wrap

from gateway.config.option_kinds import Option, ValueKind
from gateway.config.options import SECTIONS, options_of

COMMENT_WIDTH = 96  # characters in a line of the sample, so that it reads well in a terminal


def sample() -> str:
    """Return a commented configuration: required keys are set, all others commented out."""
    lines = ["# Pocketpost. A key that is commented out shows an example; its default is named above it."]
    for section in SECTIONS:
        options = options_of(section)
        active = any(option.active for option in options)
        lines += ["", *_comment(section.doc), section.heading if active else f"# {section.heading}"]
        for option in options:
            mark = "" if option.active else "# "
            lines += [
                *_comment(f"{option.doc} {_default(option)}"),
                f"{mark}{option.name} = {option.example}",
            ]
    return "\n".join(lines) + "\n"


def reference() -> str:
    """Return docs/configuration.md."""
    parts = [_PREFACE]
    for section in SECTIONS:
        parts.append(f"## `{section.heading}`\n\n{section.doc}\n")
        rows = [_row(option) for option in options_of(section)]
        parts.append("\n".join(["| key | value | default | meaning |", "|---|---|---|---|", *rows]) + "\n")
    parts.append(f"## A commented sample\n\n```toml\n{sample()}```\n")
    return "\n".join(parts)


_PREFACE = """\
# Configuration

Generated from the table in `gateway/config/options.py`; edit that, not this page.

The whole configuration is one TOML file, given with `--config`. Paths are relative to the file. An unknown key, a
value of the wrong kind and a missing file are errors that name the key and the line; nothing starts half
configured. `pocketpost config sample` prints the sample below, `pocketpost check --config FILE` tries the servers
in it. `pocketpost upstream find ADDRESS` looks for the servers of a provider and prints an `[[upstream]]` for them.
"""


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(text, COMMENT_WIDTH)]


def _default(option: Option) -> str:
    if option.required:
        return "Required."
    return f"Default: {literal(option.default)}."


def literal(value: str | int | bool | tuple[str, ...] | None) -> str:
    """Return a value as it is written in the file; "none" for None."""
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _row(option: Option) -> str:
    kind = option.kind.value
    if option.choices:
        kind += " " + ", ".join(f'"{choice}"' for choice in option.choices)
    if option.kind is ValueKind.NUMBER:
        kind += f", {option.low} to {option.high}"
    default = "required" if option.required else literal(option.default)
    return f"| `{option.name}` | {kind} | {default} | {option.doc} |"
