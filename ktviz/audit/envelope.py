"""The envelope of a signed audit: an in-toto statement about its manifest and pictures, signed as DSSE asks.

The statement follows from the folder alone and an envelope is written in one way only, so both are compared byte for
byte.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error as SecurityError
from securesystemslib.signer import CryptoSigner, Signature, SSlibKey

from ktviz.audit.folder import MANIFEST, SIGNATURE, canvases_of, read_manifest
from ktviz.errors import Difference
from ktviz.images import file_digest

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://pypi.org/project/ktviz/audit/v1"
"""The name of what is said in `statement`; there is no page behind it."""
SUBJECTS = (MANIFEST, "pictures/input.png", "pictures/output.png")
LIMIT_BYTES = 1 << 20
"""More than any envelope: the statement names encoder, decoder and every bank."""
KEY_ID = re.compile(r"[0-9a-f]{64}")
MALFORMED = (SecurityError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What securesystemslib raises when an envelope is not one."""


def statement(folder: Path) -> bytes:
    """What a signature of an audit says: these files have these digests, and so have pixels, model and library.

    All other files are bound by the manifest. No time is stated: a signature cannot prove one.
    """
    manifest = read_manifest(folder)
    said = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": file_digest(folder / name)}} for name in SUBJECTS],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "format": manifest["format"],
            "versions": manifest["versions"],
            "trace": manifest["trace"],
            "digests": manifest["digests"],
            "pixels": {name: canvas["sha256"] for name, canvas in canvases_of(manifest).items()},
        },
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def sealed_envelope(folder: Path, signer: CryptoSigner) -> bytes:
    """The envelope of an audit, signed."""
    envelope = Envelope(statement(folder), PAYLOAD_TYPE, {})
    envelope.sign(signer)
    return encoded(envelope)


def encoded(envelope: Envelope) -> bytes:
    """The one way in which an envelope is written."""
    return f"{json.dumps(envelope.to_dict(), indent=1, sort_keys=True)}\n".encode()


def check_signature(folder: Path, key: SSlibKey | None) -> str:
    """The envelope is that of this audit, and was signed with a key.

    Args:
        folder: The audit; its files agree with its manifest.
        key: Public; None if it is not at hand: then only what was signed is compared, not who did.

    Raises:
        Difference: There is none, it is malformed, of another audit, or of another key.
    """
    envelope, signed_by = read_envelope(folder / SIGNATURE)
    if key is not None:
        check_signer(envelope, signed_by, key)
    if envelope.payload != statement(folder):
        raise Difference(f"{SIGNATURE}: {signed_otherwise(folder, envelope.payload)}")
    if key is None:
        return f"of this audit, by key id {signed_by}; not checked whether it is genuine: give the public key"
    return f"genuine, by the key given, key id {signed_by}"


def read_envelope(path: Path) -> tuple[Envelope, str]:
    """An envelope with one signature, exactly as `encoded` writes it, and the id of its key."""
    if not path.is_symlink() and not path.exists():
        raise Difference(f"the audit is not signed: there is no {path.name}")
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LIMIT_BYTES:
        raise Difference(f"{path.name} is not a plain file, or too large for an envelope")
    data = path.read_bytes()
    try:
        content = json.loads(data)
        count = len(content["signatures"])
        if count != 1:
            raise Difference(f"{path.name} has {count} signatures, should have one")
        envelope = Envelope.from_dict(content)
        (signature,) = envelope.signatures.values()
        plain = Signature(signature.keyid, signature.signature)
        exact = encoded(Envelope(envelope.payload, PAYLOAD_TYPE, {plain.keyid: plain}))
    except MALFORMED as error:
        raise Difference(f"{path.name} is not a DSSE envelope ({type(error).__name__}: {error})") from None
    if data != exact or not KEY_ID.fullmatch(plain.keyid):
        raise Difference(f"{path.name} was changed: it is not written as ktviz writes envelopes")
    return envelope, plain.keyid


def check_signer(envelope: Envelope, signed_by: str, key: SSlibKey) -> None:
    """Raise Difference unless a key signed an envelope."""
    if signed_by != key.keyid:
        raise Difference(f"{SIGNATURE}: signed by key id {signed_by}, the key given has {key.keyid}")
    try:
        envelope.verify([key], threshold=1)
    except SecurityError:
        raise Difference(f"{SIGNATURE}: the signature is not genuine: key id {signed_by} did not sign this") from None


def signed_otherwise(folder: Path, payload: bytes) -> str:
    """What was signed instead of this audit."""
    try:
        signed = {subject["name"]: subject["digest"]["sha256"] for subject in json.loads(payload)["subject"]}
    except MALFORMED:
        return "what was signed is not a statement about an audit"
    for name in SUBJECTS:
        if signed.get(name) != file_digest(folder / name):
            return f"what was signed is another {name}, with SHA-256 {signed.get(name)!r}"
    return "what was signed is another statement than ktviz makes of this audit"
