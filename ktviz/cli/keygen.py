"""`ktviz keygen`: the keys with which audits are signed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ktviz.cli.console import Quiet, escape, out
from ktviz.errors import SettingError

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner


def keygen(
    path: Annotated[Path, typer.Argument(metavar="KEY", help="A new file for the private key; the public is KEY.pub.")],
    encrypt: Annotated[
        bool, typer.Option(help="Ask for a passphrase; $KTVIZ_PASSPHRASE is taken without asking.")
    ] = False,
    certificate: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Make a key for content credentials (C2PA), and a certificate in this name."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Make a pair of keys (Ed25519): sign audits with the private one, hand out the public one."""
    if certificate is not None:
        make_certificate(path, certificate, encrypt, quiet)
        return
    from ktviz.audit import keys

    passphrase = os.environ.get(keys.PASSPHRASE)
    if passphrase is None and encrypt:
        passphrase = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    key_id = keys.keygen(path, passphrase=passphrase)
    if not quiet:
        locked = "encrypted" if passphrase else "not encrypted"
        out.print(f"private  {escape(str(path))} ({locked}): to sign with; show it to nobody", soft_wrap=True)
        out.print(f"public   {escape(str(keys.public_path(path)))}: to check with; hand it out", soft_wrap=True)
        out.print(f"key id   {key_id}", soft_wrap=True)


def make_certificate(path: Path, name: str, encrypt: bool, quiet: bool) -> None:
    """Make a key and a certificate for content credentials."""
    from ktviz.audit.certificates import self_made_certificate

    if encrypt:
        asked, found = "--encrypt beside --certificate", "keys of content credentials are not encrypted"
        raise SettingError(asked, found, "Leave one of them out")
    made = self_made_certificate(path, name)
    if not quiet:
        out.print(f"private      {escape(str(path))} (not encrypted): to sign with; show it to nobody", soft_wrap=True)
        out.print(
            f"certificate  {escape(str(made))}: by nobody but you, so readers say it is not trusted", soft_wrap=True
        )


def unlocked(path: Path) -> CryptoSigner:
    """A private key to sign with; asks a person for its passphrase where it has one."""
    from ktviz.audit import keys

    def ask() -> str:
        return str(typer.prompt(f"Passphrase of {path}", hide_input=True, err=True))

    known = keys.PASSPHRASE in os.environ or not sys.stdin.isatty()
    return keys.signing_key(path, passphrase=None if known else ask)
