"""`pocketpost wbxml`: documents of WAP 1.x to octets and back."""

from __future__ import annotations

from typing import BinaryIO

import click

#: Names of the charsets in which WBXML is written, with their MIBenum.
CHARSETS = {"utf-8": 106, "iso-8859-1": 4, "us-ascii": 3}

file_argument = click.argument("file", type=click.File("rb"))


def _refused(file: BinaryIO, error: ValueError) -> click.ClickException:
    return click.ClickException(f"{getattr(file, 'name', '<stdin>')}: {error}")


@click.group(name="wbxml")
def wbxml_group() -> None:
    """Compile WML, SI and SL to WBXML, and decompile it."""


@wbxml_group.command()
@click.option("--version", type=click.Choice(["1.1", "1.2", "1.3"]), default="1.1", show_default=True)
@click.option("--charset", type=click.Choice(list(CHARSETS)), default="utf-8", show_default=True)
@click.option(
    "--plain-attributes", is_flag=True, help="No references to the string table in attribute values."
)
@file_argument
def encode(version: str, charset: str, plain_attributes: bool, file: BinaryIO) -> None:
    """Compile FILE, or standard input for -, as small as possible, to standard output."""
    from gateway.wap import wbxml

    try:
        octets = wbxml.encode(
            file.read(), CHARSETS[charset], version=version, attribute_references=not plain_attributes
        )
    except wbxml.WBXMLError as error:
        raise _refused(file, error) from error
    click.echo(octets, nl=False)


@wbxml_group.command()
@file_argument
def decode(file: BinaryIO) -> None:
    """Decompile FILE, or standard input for -, to standard output."""
    from gateway.wap import wbxml

    try:
        document = wbxml.decode(file.read())
    except wbxml.WBXMLError as error:
        raise _refused(file, error) from error
    click.echo(document.encode())
