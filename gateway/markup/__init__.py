"""From Screen and Block to WML or XHTML, and what that weighs.

Nothing here may know where a value came from. A page's size is what counts on the way to the phone: compiled
octets (WBXML, WAP-192) for WML, encoded octets for XHTML.
"""

from __future__ import annotations

from markupsafe import Markup

from gateway.device import WML, WML_COMPILED, Device
from gateway.markup import wml, xhtml
from gateway.markup.environment import environment
from gateway.markup.screen import Action, Life, Screen
from gateway.markup.wml import Lead
from gateway.rendition.blocks import Block
from gateway.wap import wbxml

__all__ = ["Action", "Lead", "Life", "Screen", "block", "compiled", "encode", "say", "size"]


def say(screen: Screen, device: Device) -> str:
    """Say a screen in the device's markup."""
    template = environment(device.markup).get_template(screen.name + ".xml")
    return template.render(
        screen=screen, device=device, actions=screen.actions, _=screen.words, **screen.values
    )


def encode(screen: Screen, device: Device) -> tuple[bytes, str]:
    """Return the octets as sent, and their media type with its charset."""
    text = say(screen, device)
    if device.content_type == WML_COMPILED:
        return wbxml.encode(text), WML_COMPILED
    return text.encode(
        device.charset, "xmlcharrefreplace"
    ), f"{device.content_type}; charset={device.charset}"


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
    return Markup(writer(item, lead))  # noqa: S704
