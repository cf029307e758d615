"""Certificates for content credentials (C2PA): one that you make yourself, and those that others gave you."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ktviz.audit.keys import UNUSABLE, read_key, write_new
from ktviz.errors import SigningError, StorageError

VALID = timedelta(days=10 * 365)
MOST_BYTES = 64
"""Of a name in a certificate."""
Key = ec.EllipticCurvePrivateKey
UNUSED = (
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "encipher_only",
    "decipher_only",
)
"""What no key here may do."""


def self_made_certificate(path: str | os.PathLike[str], name: str) -> Path:
    """Make a key for content credentials, and a certificate for it by an authority that exists for this one alone.

    It shows that two pictures were signed by the same key, and that nothing was changed since. Who holds the key it
    does not show: readers say that it is not trusted, unless they are told to trust the authority, the last part of the
    file.

    Args:
        path: A new file for the private key (ECDSA on P-256, PEM), readable by you alone.
        name: Yours, as readers show it.

    Returns:
        The file with the certificates: `path` + ``.crt``.

    Raises:
        SigningError: A name that no certificate can hold.
        StorageError: One of the files is there already, or the disk refuses.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     self_made_certificate(f"{folder}/ann.key", "Ann").name
        'ann.key.crt'
    """
    path = Path(path)
    if not name.strip() or not name.isprintable() or len(name.encode("utf-8", "replace")) > MOST_BYTES:
        found = f"no name of 1 to {MOST_BYTES} bytes"
        raise SigningError(f"a certificate for {name[:64]!r}", found, "Give a shorter one, in letters")
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = named(f"Authority of {name}".encode()[:MOST_BYTES].decode(errors="ignore"))
    chain = [
        certificate(named(name), issuer, own, authority, is_authority=False),
        certificate(issuer, issuer, authority, authority, is_authority=True),
    ]
    lock = serialization.NoEncryption()
    write_new(path, own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock), 0o600)
    target = path.with_name(f"{path.name}.crt")
    try:
        write_new(target, b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain), 0o644)
    except StorageError:
        path.unlink()
        raise
    return target


def named(name: str) -> x509.Name:
    """A name as certificates hold it."""
    return x509.Name([x509.NameAttribute(kind, name) for kind in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)])


def certificate(
    subject: x509.Name, issuer: x509.Name, key: Key, signer: Key, *, is_authority: bool
) -> x509.Certificate:
    """What C2PA asks of a certificate: what its key may do is said, and whose key signed it."""
    start = datetime.now(UTC) - timedelta(days=1)  # clocks differ
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    built = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number(), start, start + VALID)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority, **usage
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not is_authority:
        built = built.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=True)
    return built.sign(signer, hashes.SHA256())


def read_pair(certificates: str | os.PathLike[str], key: str | os.PathLike[str]) -> tuple[bytes, bytes]:
    """The certificates, the signer's first, and the private key that belongs to it, as PEM.

    Raises:
        MissingKeyError: One of the files is not there.
        SigningError: Broken, encrypted, of another kind, or not of each other.
    """
    chain, secret = read_key(certificates, "certificate"), read_key(key, "private")
    asked = f"sign with {os.fspath(certificates)!r} and {os.fspath(key)!r}"
    remedy = "Make a pair with `ktviz keygen --certificate NAME`, or ask your authority for one"
    try:
        owner = x509.load_pem_x509_certificates(chain)[0].public_key()
        private = serialization.load_pem_private_key(secret, None)
    except UNUSABLE as error:
        raise SigningError(asked, f"no certificate and key in PEM ({error})", remedy) from None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise SigningError(asked, "the key is not ECDSA on P-256 (ES256)", remedy)
    if owner != private.public_key():
        raise SigningError(asked, "the certificate is of another key", "Name the two that belong together")
    lock = serialization.NoEncryption()
    return chain, private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
