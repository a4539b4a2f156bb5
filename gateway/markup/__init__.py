"""Writes screens and blocks as WML or XHTML, and measures them.

Nothing here may know where a value came from. The size of a page is its size on the way to the phone: compiled octets
(WBXML, WAP-192) for WML, by us or by any WAP gateway, encoded octets for XHTML.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from markupsafe import Markup

from gateway.device import WML, WML_COMPILED, Device
from gateway.language import softkey
from gateway.markup import wml, xhtml
from gateway.markup.environment import environment
from gateway.markup.repertoire import fitter
from gateway.markup.scale import MIB_ENUMS
from gateway.markup.screen import Action, Life, Screen
from gateway.markup.wml import LinkResolver, PictureLink
from gateway.rendition.blocks import Block
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
    "piece",
    "size",
    "write",
]

#: Octets of a deck that is small enough: the search would take more time than everything else, as for the sign-in page.
_SMALL: Final = 512
#: Responses that a cache may use without asking.
_STORED: Final = frozenset({Life.PRIVATE, Life.PUBLIC})


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


def piece(name: str, device: Device, words: Callable[[str], str], **values: object) -> Markup:
    """Write a piece of a screen that several screens share, for use in a template."""
    template = environment(device).get_template(name + ".xml")
    return Markup(template.render(device=device, _=words, **values))  # noqa: S704


def encode(screen: Screen, device: Device) -> tuple[bytes, str]:
    """Return the octets to send, and their media type with its charset."""
    if device.content_type == WML_COMPILED:
        # What may be stored takes room in the phone: for that a search for the smallest encoding pays.
        room = _SMALL if screen.life in _STORED else device.deck_limit
        return compiled(screen, device, room), WML_COMPILED
    text = write(screen, device)
    return text.encode(
        device.charset, "xmlcharrefreplace"
    ), f"{device.content_type}; charset={device.charset}"


def _compiled(text: str, device: Device, room: int) -> bytes:
    """Compile in the device's charset; as small as possible if the plain encoding takes more than `room` octets."""
    return wbxml.encode(
        text, MIB_ENUMS[device.charset], room=room, attribute_references=device.attribute_references
    )


def compiled(screen: Screen, device: Device, room: int = 0) -> bytes:
    """Compile a WML screen, as small as can be if it takes more than `room` octets (0: than the device's limit)."""
    name = device, room or device.deck_limit
    octets = screen.compiled.get(name)
    if octets is None:
        octets = screen.compiled[name] = _compiled(write(screen, device), *name)
    return octets


def size(screen: Screen, device: Device) -> int:
    """Measure a screen in the octets that the device's limit counts."""
    if device.content_type == WML_COMPILED:
        return len(compiled(screen, device))
    return text_size(write(screen, device), device)


def text_size(text: str, device: Device) -> int:
    """Measure the text of a page in the octets that the device's limit counts."""
    if device.content_type == WML_COMPILED:
        return len(_compiled(text, device, device.deck_limit))
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
    fitted = fitter(device.markup, device.charset)
    marker, texts = fitted(item.marker), [fitted(run.text) for run in item.runs]
    if marker == item.marker and texts == [run.text for run in item.runs]:
        return item
    runs = tuple([replace(run, text=text) for run, text in zip(item.runs, texts, strict=True)])
    return replace(item, runs=runs, marker=marker)
