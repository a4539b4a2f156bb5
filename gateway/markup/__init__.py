"""Writes screens and blocks as WML or XHTML, and measures them.

Nothing here may know where a value came from. The size of a page is its size on the way to the phone:
compiled octets (WBXML, WAP-192) for WML, encoded octets for XHTML.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from operator import is_
from typing import Final

from markupsafe import Markup

from gateway.device import ASCII, LATIN_1, UTF_8, WML, WML_COMPILED, Device
from gateway.language import softkey
from gateway.markup import wml, xhtml
from gateway.markup.environment import environment
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen
from gateway.markup.wml import LinkResolver, PictureLink
from gateway.rendition.blocks import Block, Run
from gateway.wap import wbxml

__all__ = [
    "Action",
    "Life",
    "LinkResolver",
    "PictureLink",
    "Screen",
    "block",
    "compiled",
    "encode",
    "fit_block",
    "size",
    "write",
]

#: The devices' charsets by MIBenum, their number in the IANA registry, as WBXML names them.
_MIB_ENUMS: Final = {UTF_8: 106, LATIN_1: 4, ASCII: 3}


def write(screen: Screen, device: Device) -> str:
    """Write a screen in the device's markup."""
    text = screen.rendered.get(device)
    if text is None:
        template = environment(device).get_template(screen.name + ".xml")
        text = screen.rendered[device] = template.render(
            screen=screen,
            device=device,
            actions=screen.actions,
            _=screen.words,
            softkey=partial(softkey, screen.language),
            **screen.values,
        )
    return text


def encode(screen: Screen, device: Device) -> tuple[bytes, str]:
    """Return the octets to send, and their media type with its charset."""
    text = write(screen, device)
    if device.content_type == WML_COMPILED:
        return _compiled(text, device), WML_COMPILED
    return text.encode(
        device.charset, "xmlcharrefreplace"
    ), f"{device.content_type}; charset={device.charset}"


def _compiled(text: str, device: Device) -> bytes:
    """Compile in the device's charset, or in UTF-8 if a character is not in it (only a form's probe can have one)."""
    try:
        return wbxml.encode(text, _MIB_ENUMS[device.charset])
    except wbxml.WBXMLError:
        return wbxml.encode(text)


def compiled(screen: Screen, device: Device) -> bytes:
    """Compile a WML screen."""
    return wbxml.encode(write(screen, device))


def size(screen: Screen, device: Device) -> int:
    """Measure a screen in the octets that the device's limit counts."""
    return text_size(write(screen, device), device)


def text_size(text: str, device: Device) -> int:
    """Measure the text of a page in the octets that the device's limit counts."""
    if device.markup == WML:
        return wbxml.deck_bound(text)
    return len(text.encode(device.charset, "xmlcharrefreplace"))


def block(item: Block, device: Device, link_target: LinkResolver) -> Markup:
    """Write one block in the device's markup, for use in a template."""
    writer = wml.block if device.markup == WML else xhtml.block
    return Markup(writer(fit_block(item, device), link_target))  # noqa: S704


def fit_block(item: Block, device: Device) -> Block:
    """Write the text of a block in characters that the device has; link targets stay as they are."""
    if item.text.isascii() and item.marker.isascii():
        return item
    runs, marker = tuple(_fit_run(run, device) for run in item.runs), fit(item.marker, device)
    if marker == item.marker and all(map(is_, runs, item.runs)):
        return item
    return replace(item, runs=runs, marker=marker)


def _fit_run(run: Run, device: Device) -> Run:
    text = fit(run.text, device)
    return run if text == run.text else replace(run, text=text)
