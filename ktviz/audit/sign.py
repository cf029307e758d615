"""Signing: somebody who holds a key vouches for an audit, byte for byte."""

from __future__ import annotations

import os
from pathlib import Path

from securesystemslib.signer import CryptoSigner

from ktviz.audit.envelope import sealed_envelope
from ktviz.audit.folder import SIGNATURE
from ktviz.audit.keys import signing_key
from ktviz.audit.verdict import Verdict, file_checks
from ktviz.errors import AuditError, SigningError
from ktviz.files import replacing


def sign(folder: str | os.PathLike[str], key: str | os.PathLike[str] | CryptoSigner) -> str:
    """Sign an audit; the envelope is laid into its folder as signature.json.

    Its files are held to its manifest before. Whether what it says is true is for `verify` to find out: do that first
    with an audit that somebody else made.

    Args:
        folder: What `Audit.save` wrote.
        key: A private key, or the file that holds it; an encrypted one is opened with `signing_key`.

    Returns:
        The key id.

    Raises:
        SigningError: The key cannot be used, or the audit is signed already.
        AuditError: The folder is no audit, or not as its manifest says.
        StorageError: The disk refuses.

    Example:
        >>> home = pathlib.Path(tempfile.mkdtemp())
        >>> kt.Audit.create(trace, title="Stripes", top=0, sample=5).save(home / "audit")
        >>> key = kt.keygen(home / "me.key")
        >>> kt.sign(home / "audit", home / "me.key") == key
        True
    """
    folder = Path(folder)
    signer = key if isinstance(key, CryptoSigner) else signing_key(key)
    if signer.public_key.keytype != "ed25519":
        raise SigningError(
            "sign with a key", f"not Ed25519 ({signer.public_key.keytype})", "Make one with `ktviz keygen`"
        )
    if (folder / SIGNATURE).exists():
        raise SigningError(f"sign {str(folder)!r}", "it is signed already", f"Delete {SIGNATURE} in it to sign it anew")
    verdict = Verdict().run(file_checks(folder))
    if not verdict:
        raise AuditError(f"sign {str(folder)!r}", verdict.difference, "Sign an audit that is whole")
    with replacing(folder / SIGNATURE) as temporary:
        temporary.write_bytes(sealed_envelope(folder, signer))
    return str(signer.public_key.keyid)
