"""Keys that sign audits: Ed25519, in PEM files that OpenSSL reads and writes, too."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.signer import CryptoSigner, SSlibKey

from ktviz.errors import MissingKeyError, SigningError, StorageError
from ktviz.files import remedy

PASSPHRASE = "KTVIZ_PASSPHRASE"
"""The environment variable with the passphrase of a private key."""
LIMIT_BYTES = 1 << 16
"""More than any key; a file that is larger is another file."""
UNUSABLE = (ValueError, TypeError, UnsupportedAlgorithm)


def keygen(path: str | os.PathLike[str], *, passphrase: str | None = None) -> str:
    """Make a pair of keys: the private one at `path`, readable by you alone, the public one at `path` + ``.pub``.

    Args:
        path: The private key, PEM (PKCS #8). The public one is PEM, too (SubjectPublicKeyInfo).
        passphrase: Encrypts the private key; it is stored as it is if None.

    Returns:
        The key id, by which envelopes name the key: the one that securesystemslib gives it, 64 hex digits.

    Raises:
        StorageError: One of the files is there already, or the disk refuses.
        SigningError: An empty passphrase.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(keygen(f"{folder}/auditor.key"))
    64
    """
    path = Path(path)
    if passphrase == "":
        raise SigningError(f"key {str(path)!r}", "an empty passphrase", "Choose one, or none at all")
    key = Ed25519PrivateKey.generate()
    lock = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    write_new(path, secret, 0o600)
    try:
        write_new(public_path(path), public_pem(key.public_key()), 0o644)
    except StorageError:
        path.unlink()
        raise
    return str(SSlibKey.from_crypto(key.public_key()).keyid)


def signing_key(path: str | os.PathLike[str], *, passphrase: str | Callable[[], str] | None = None) -> CryptoSigner:
    """Open a private key, to sign with.

    Args:
        path: PEM, as `keygen` or ``openssl genpkey -algorithm ed25519`` writes it.
        passphrase: Of an encrypted key, or what asks for it; the environment variable ``KTVIZ_PASSPHRASE`` if None.

    Raises:
        MissingKeyError: It is not there.
        SigningError: Broken, locked, or another kind of key.

    Example:
        >>> home = pathlib.Path(tempfile.mkdtemp())
        >>> key = kt.keygen(home / "me.key")
        >>> kt.signing_key(home / "me.key").public_key.keyid == key
        True
    """
    asked, data = f"private key {str(path)!r}", read_key(path, "private")
    if b"PUBLIC KEY-----" in data:
        raise SigningError(asked, "it is a public key", "Name the private one, without .pub")
    word = None
    if b"ENCRYPTED" in data:
        word = passphrase() if callable(passphrase) else passphrase or os.environ.get(PASSPHRASE)
        if not word:
            raise SigningError(asked, "it is encrypted", f"Give its passphrase, or set {PASSPHRASE}")
    try:
        key = serialization.load_pem_private_key(data, word.encode() if word else None)
    except UNUSABLE:
        if word:
            raise SigningError(asked, "its passphrase is another one, or it is damaged", "Try again") from None
        raise SigningError(asked, "not a private key in PEM", "Make one with `ktviz keygen`") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningError(asked, f"not Ed25519 ({type(key).__name__})", "Make one with `ktviz keygen`")
    return CryptoSigner(key)


def public_key(path: str | os.PathLike[str]) -> SSlibKey:
    """Open a public key, to check with.

    Args:
        path: PEM, as `keygen` or ``openssl pkey -pubout`` writes it, and nothing else in the file.

    Raises:
        MissingKeyError: It is not there.
        SigningError: Broken, a private key, or another kind of key.
    """
    asked, data = f"public key {str(path)!r}", read_key(path, "public")
    if b"PRIVATE KEY-----" in data:
        raise SigningError(asked, "it is a private key, which nobody else should have", "Name the public one, .pub")
    try:
        key = serialization.load_pem_public_key(data)
    except UNUSABLE:
        raise SigningError(asked, "not a public key in PEM", "Ask the signer for it again") from None
    if not isinstance(key, Ed25519PublicKey):
        raise SigningError(asked, f"not Ed25519 ({type(key).__name__})", "Ask the signer for the key that signed")
    if lines(data) != lines(public_pem(key)):
        raise SigningError(asked, "damaged, or something else is in the file", "Ask the signer for it again")
    return SSlibKey.from_crypto(key)


def public_path(path: Path) -> Path:
    """Where the public key lies that belongs to a private one."""
    return path.with_name(f"{path.name}.pub")


def public_pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def lines(pem: bytes) -> bytes:
    """PEM as it was before mail or Windows changed the ends of its lines."""
    return pem.replace(b"\r\n", b"\n").rstrip(b"\n")


def read_key(path: str | os.PathLike[str], kind: str) -> bytes:
    """The bytes of a key file, of limited size."""
    asked = f"{kind} key {os.fspath(path)!r}"
    try:
        with open(path, "rb") as file:
            data = file.read(LIMIT_BYTES + 1)
    except FileNotFoundError:
        raise MissingKeyError(asked, "no such file", "Check the path") from None
    except OSError as error:
        raise SigningError(asked, (error.strerror or str(error)).lower(), "Check the path") from None
    if len(data) > LIMIT_BYTES:
        raise SigningError(asked, "too large for a key", "Check the path")
    return data


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that must not exist; its mode holds from the first byte.

    Raises:
        StorageError: It exists, or the disk refuses.
    """
    asked = f"write the key {str(path)!r}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise StorageError(
            asked, "there is a file of that name", "Keys are never overwritten; choose another"
        ) from None
    except OSError as error:
        raise StorageError(asked, error.strerror or str(error), "Choose a folder you may write to") from None
    try:
        with open(handle, "wb") as file:
            file.write(data)
    except OSError as error:
        path.unlink()
        raise StorageError(asked, error.strerror or str(error), remedy(error)) from None
