"""From Screen and Block to WML or XHTML, and what that weighs.

Nothing here may know where a value came from. A page's size is what counts on the way to the phone: compiled
octets (WBXML, WAP-192) for WML, encoded octets for XHTML.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from markupsafe import Markup

from gateway.device import ASCII, LATIN_1, UTF_8, WML, WML_COMPILED, Device
from gateway.language import softkey
from gateway.markup import wml, xhtml
from gateway.markup.environment import environment
from gateway.markup.repertoire import fit
from gateway.markup.screen import Action, Life, Screen
from gateway.markup.wml import Lead, Pictured
from gateway.rendition.blocks import Block
from gateway.wap import wbxml

__all__ = ["Action", "Lead", "Life", "Pictured", "Screen", "block", "compiled", "encode", "say", "size"]

#: The charsets of devices in the IANA register, as WBXML names them.
_MIB_ENUMS: Final = {UTF_8: 106, LATIN_1: 4, ASCII: 3}


def say(screen: Screen, device: Device) -> str:
    """Say a screen in the device's markup."""
    text = screen.said.get(device)
    if text is None:
        template = environment(device).get_template(screen.name + ".xml")
        text = screen.said[device] = template.render(
            screen=screen,
            device=device,
            actions=screen.actions,
            _=screen.words,
            softkey=partial(softkey, screen.language),
            **screen.values,
        )
    return text


def encode(screen: Screen, device: Device) -> tuple[bytes, str]:
    """Return the octets as sent, and their media type with its charset."""
    text = say(screen, device)
    if device.content_type == WML_COMPILED:
        return _compiled(text, device), WML_COMPILED
    return text.encode(
        device.charset, "xmlcharrefreplace"
    ), f"{device.content_type}; charset={device.charset}"


def _compiled(text: str, device: Device) -> bytes:
    """Compile in the device's charset; the few characters it may lack, in a form's probe, are told in UTF-8."""
    try:
        return wbxml.encode(text, _MIB_ENUMS[device.charset])
    except wbxml.WBXMLError:
        return wbxml.encode(text)


def compiled(screen: Screen, device: Device) -> bytes:
    """Compile a WML screen."""
    return wbxml.encode(say(screen, device))


def size(screen: Screen, device: Device) -> int:
    """Measure a screen in the octets that the device's limit counts."""
    return text_size(say(screen, device), device)


def text_size(text: str, device: Device) -> int:
    """Measure a finished page in the octets that the device's limit counts."""
    if device.markup == WML:
        return wbxml.deck_bound(text)
    return len(text.encode(device.charset, "xmlcharrefreplace"))


def block(item: Block, device: Device, lead: Lead) -> Markup:
    """Say one block in the device's markup, ready to stand in a template."""
    writer = wml.block if device.markup == WML else xhtml.block
    return Markup(writer(_fitted(item, device), lead))  # noqa: S704


def _fitted(item: Block, device: Device) -> Block:
    """Say a block in the characters of the device; where its links lead stays."""
    runs = tuple(run if run.text.isascii() else replace(run, text=fit(run.text, device)) for run in item.runs)
    return replace(item, runs=runs, marker=fit(item.marker, device))
