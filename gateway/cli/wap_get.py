"""`pocketpost wap get`: a phone on the command line, which puts each PDU into words.

Nothing here may know more about WAP than printing it needs; `gateway.wap.initiator` is the phone.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Final

import click

from gateway.config.hosts import listen_address
from gateway.wap import wbxml, wsp
from gateway.wap.initiator import Answer, Initiator
from gateway.wap.wsp.assigned import Capability
from gateway.wap.wsp.octets import Cursor, uintvar
from gateway.wap.wtp.wtp_pdus import Abort, Ack, Invoke, Nack, Provider, Segment, WtpPdu, packet_number

PORTS: Final = {False: 9201, True: 9200}
"""By whether it is connectionless. WAP-259 appendix B."""
SECONDS: Final = 60.0
"""Seconds after which it stops waiting."""
ACCEPT: Final = "application/vnd.wap.wmlc, image/vnd.wap.wbmp, text/plain"
_FLAGS: Final = ("new", "user_ack", "gtr", "ttr", "rid", "verify")


@click.command()
@click.argument("url")
@click.option(
    "--gateway", metavar="HOST[:PORT]", default="127.0.0.1", show_default=True,
    help="The WAP gateway; port 9201, or 9200 with --connectionless.",
)  # fmt: skip
@click.option("--connectionless", is_flag=True, help="Ask without a session.")
@click.option("--post", metavar="BODY", help="Post this form instead (a=b&c=d).")
@click.option("--agent", default="Pocketpost", show_default=True, help="The User-Agent.")
@click.option("--sdu", type=click.IntRange(0), help="Negotiate this client SDU, in octets; 0 for no limit.")
@click.option("--sar", is_flag=True, help="Take results in segments.")
def get(
    url: str, gateway: str, connectionless: bool, post: str | None, agent: str, sdu: int | None, sar: bool
) -> None:
    """Fetch URL as a WAP phone does, and print each PDU in words."""
    if connectionless and (sdu is not None or sar):
        raise click.UsageError("--sdu and --sar belong to a session")
    address = udp_address(gateway, PORTS[connectionless])
    headers = (("Accept", ACCEPT), ("User-Agent", agent))
    own = headers if connectionless else ()
    method = wsp.Method("GET", url, own)
    if post is not None:
        method = wsp.Method(
            "POST", url, own, "application/x-www-form-urlencoded; charset=utf-8", post.encode()
        )
    try:
        family = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family[0], socket.SOCK_DGRAM) as line:
            line.connect(family[4])
            if connectionless:
                reply = _unit(line, method)
            else:
                reply = _Phone(line, sar).fetch(method, headers, sdu)
    except OSError as error:
        raise click.ClickException(f"{address[0]} port {address[1]}: {error.strerror or error}") from error
    if isinstance(reply, wsp.Reply):
        click.echo(_body(reply))
        raise SystemExit(0 if reply.status < 400 else 1)
    raise click.ClickException(
        f"there is no reply within {SECONDS:.0f} s" if reply is None else "that is no Reply"
    )


def udp_address(text: str, usual_port: int) -> tuple[str, int]:
    """Read HOST or HOST:PORT; raise ClickException."""
    has_port = text.rpartition("]")[2].count(":") == 1
    try:
        return listen_address(text if has_port else f"{text}:{usual_port}")
    except ValueError as error:
        raise click.ClickException(f"{text}: {error}") from error


def _unit(line: socket.socket, method: wsp.Method) -> wsp.WspPdu | None:
    click.echo(f"> {words(method)}")
    line.send(wsp.write_unit(1, method))
    line.settimeout(SECONDS)
    try:
        _, reply = wsp.read_unit(line.recv(65_536))
    except TimeoutError:
        return None
    except wsp.WSPError as error:
        raise click.ClickException(f"what came is malformed: {error}") from error
    click.echo(f"< {words(reply)}")
    return reply


class _Phone:
    """The initiator on a socket."""

    def __init__(self, line: socket.socket, sar: bool) -> None:
        self._line, self._phone = line, Initiator(sar=sar)

    def fetch(
        self, method: wsp.Method, headers: tuple[tuple[str, str], ...], sdu: int | None
    ) -> wsp.WspPdu | None:
        """Connect, request, disconnect."""
        capabilities = () if sdu is None else ((Capability.CLIENT_SDU, uintvar(sdu)),)
        connected = self._ask(wsp.Connect(capabilities, headers))
        if not isinstance(connected, wsp.ConnectReply):
            return connected
        reply = self._ask(method)
        self._phone.invoke(wsp.write_pdu(wsp.Disconnect(connected.session_id)), time.monotonic(), tcl=0)
        self._send()
        return reply

    def _ask(self, pdu: wsp.WspPdu) -> wsp.WspPdu | None:
        end = time.monotonic() + SECONDS
        tid = self._phone.invoke(wsp.write_pdu(pdu), time.monotonic())
        while time.monotonic() < end:
            self._send()
            while (answer := self._phone.next_event()) is not None:
                if answer.tid == tid:
                    return self._answered(answer)
            due = self._phone.get_timer() or end
            self._line.settimeout(max(0.01, min(due, end) - time.monotonic()))
            try:
                self._phone.receive_datagram(self._line.recv(65_536), time.monotonic())
            except TimeoutError:
                self._phone.handle_timer(time.monotonic())
        return None

    def _answered(self, answer: Answer) -> wsp.WspPdu | None:
        self._send()
        if answer.pdu is None and answer.abort >= 0:
            raise click.ClickException(f"aborted: {_reason(answer.abort)}")
        if answer.pdu is not None:
            click.echo(f"< {words(answer.pdu)}")
        return answer.pdu

    def _send(self) -> None:
        for data in self._phone.datagrams_to_send(time.monotonic()):
            self._line.send(data)
        while self._phone.log:
            side, pdu = self._phone.log.popleft()
            click.echo(f"{side} {transaction_words(pdu)}")


def transaction_words(pdu: WtpPdu) -> str:
    """Put a PDU of WTP into words."""
    said = f"{type(pdu).__name__} {pdu.tid & 0x7FFF}"
    said += "".join(f" {name}" for name in _FLAGS if getattr(pdu, name, False))
    match pdu:
        case Abort():
            return f"{said}: {_reason(pdu.reason)}"
        case Ack():
            number = packet_number(pdu.tpis)
            return said if number is None else f"{said}: packet {number}"
        case Nack():
            return f"{said}: {f'packets {list(pdu.missing)}' if pdu.missing else 'the whole group'} missing"
        case Segment():
            return f"{said}: packet {pdu.number}, {len(pdu.data)} octets"
        case Invoke():
            with suppress(wsp.WSPError):
                return f"{said}: {words(wsp.read_pdu(pdu.data))}"
    return f"{said}: {len(pdu.data)} octets"


def _reason(number: int) -> str:
    """Name the reason why a transaction was aborted: the standards' names, in capitals."""
    for kind in (wsp.AbortReason, Provider):
        with suppress(ValueError):
            return kind(number).name
    return f"reason {number:#04x}"


def _capability(identifier: int | str, octets: bytes) -> str:
    """Describe a capability: its name, and its octets in hex, or the size that they mean."""
    try:
        kind = Capability(int(identifier))
    except ValueError:
        return f"{identifier}={octets.hex()}"
    if kind in (Capability.CLIENT_SDU, Capability.SERVER_SDU):
        with suppress(ValueError):
            return f"{kind.name}={Cursor(octets).uintvar()}"
    return f"{kind.name}={octets.hex()}"


def words(pdu: wsp.WspPdu) -> str:
    """Put a PDU of WSP into words."""
    match pdu:
        case wsp.Method():
            parts = [pdu.name, pdu.url, f"{len(pdu.body)} octets" if pdu.body else ""]
        case wsp.Reply():
            parts = ["Reply", str(pdu.status), pdu.content_type, f"{len(pdu.body)} octets"]
        case wsp.Connect() | wsp.ConnectReply():
            parts = [type(pdu).__name__]
            parts += [f"session {pdu.session_id}"] if isinstance(pdu, wsp.ConnectReply) else []
            parts += [_capability(*each) for each in pdu.capabilities]
        case _:
            parts = [type(pdu).__name__]
    headers = [f"{name}: {value}" for name, value in getattr(pdu, "headers", ())]
    return "; ".join([" ".join(filter(None, parts)), *headers])


def _body(reply: wsp.Reply) -> str:
    if reply.content_type == "application/vnd.wap.wmlc":
        try:
            return wbxml.decode(reply.body)
        except wbxml.WBXMLError as error:
            return f"(no WBXML: {error.reason})"
    if reply.content_type.startswith("text/"):
        return reply.body.decode("utf-8", "replace")
    return f"({len(reply.body)} octets)"
