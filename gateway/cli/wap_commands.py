"""`pocketpost wap`: sending to WAP phones by hand."""

from __future__ import annotations

import secrets
import socket
from datetime import UTC, datetime, timedelta

import click

from gateway.cli.wap_get import get, udp_address


@click.group(name="wap")
def wap_group() -> None:
    """Talk to WAP phones."""


wap_group.add_command(get)


@wap_group.command()
@click.option("--to", metavar="HOST[:PORT]", help="Send it there by UDP, to port 2948 unless given.")
@click.option(
    "--sms", is_flag=True, help="Print it as short messages for an SMS gateway: header and data, in hex."
)
@click.option(
    "--action", help="signal-none, -low, -medium, -high, delete; without TEXT execute-low, -high, cache."
)
@click.option("--id", "si_id", default="", help="A later indication replaces an earlier one of the same id.")
@click.option("--hours", type=click.FloatRange(min=0), help="The indication expires after so many hours.")
@click.argument("url")
@click.argument("text", required=False)
def push(
    to: str | None, sms: bool, action: str | None, si_id: str, hours: float | None, url: str, text: str | None
) -> None:
    """Offer URL to a phone with a TEXT (Service Indication), or make it open URL immediately (Service Loading)."""
    from gateway.wap import push as pushing

    if (to is None) != sms:
        raise click.UsageError("one of --to and --sms is needed")
    if text is None and (si_id or hours is not None):
        raise click.UsageError("--id and --hours belong to an indication, which has a TEXT")
    try:
        if text is None:
            kind, content = (
                pushing.PushContentType.LOADING,
                pushing.loading(url, action=action or "execute-low"),
            )
        else:
            kind, content = pushing.PushContentType.INDICATION, _indication(url, text, action, si_id, hours)
        octets = pushing.pdu(kind, content, secrets.randbelow(256))
        segments = pushing.short_messages(octets, secrets.randbelow(256)) if sms else []
    except pushing.PushError as error:
        raise click.ClickException(str(error)) from error
    for segment in segments:
        click.echo(f"{segment.header.hex()} {segment.payload.hex()}")
    if to is not None:
        _send(octets, to, pushing.PUSH_PORT)


def _indication(url: str, text: str, action: str | None, si_id: str, hours: float | None) -> bytes:
    from gateway.wap.push import indication

    now = datetime.now(UTC)
    expires = None if hours is None else now + timedelta(hours=hours)
    return indication(url, text, action=action or "signal-medium", si_id=si_id, created=now, expires=expires)


def _send(octets: bytes, to: str, usual_port: int) -> None:
    """Send a datagram. A phone does not acknowledge it."""
    host, port = udp_address(to, usual_port)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as line:
            line.sendto(octets, address)
    except OSError as error:
        raise click.ClickException(f"{to}: {error.strerror or error}") from error
    click.echo(f"{len(octets)} octets sent to {to}")
