"""Checks of an audit, one after the other, and those that need the folder alone: its files, digests and signature."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import TemplateError
from securesystemslib.signer import SSlibKey

from ktviz.audit.envelope import check_signature
from ktviz.audit.folder import MANIFEST, SIGNATURE, file_list, manifest_bytes, plain_files, read_manifest
from ktviz.audit.keys import public_key
from ktviz.errors import Difference, KtvizError, SettingError
from ktviz.images import file_digest
from ktviz.values import short

Check = tuple[str, Callable[[], str | None]]


@dataclass
class Verdict:
    """The result of a verification.

    Attributes:
        checks: What was compared and agrees, in order.
        difference: The first difference; empty if there is none.
    """

    checks: list[str] = field(default_factory=list)
    difference: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return not self.difference

    def __bool__(self) -> bool:
        return self.ok

    def run(self, checks: Iterator[Check]) -> Verdict:
        """Go through checks until one raises; a check returns a remark or nothing."""
        try:
            for name, check in checks:
                remark = check()
                self.checks.append(f"{name}: {remark}" if remark else name)
        except Difference as difference:
            self.difference = str(difference)
        except KtvizError as error:
            self.difference = f"{error.asked}: {error.found}"
        except UNREADABLE as error:
            self.difference = f"a part of the audit cannot be read ({type(error).__name__}: {error})"
        return self


UNREADABLE = (
    TemplateError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    OSError,
    ArithmeticError,
    RuntimeError,
    StopIteration,
    MemoryError,
)
"""What values raise that are not what they should be: a manifest can hold anything."""


def verify_files(
    folder: str | os.PathLike[str], *, sha256: str | None = None, key: str | os.PathLike[str] | None = None
) -> Verdict:
    """Check the folder of an audit alone: nothing was changed since it was sealed, and who signed it.

    Whether what it says is true is not asked: whoever makes an audit can seal it. This works without torch.

    Args:
        folder: What `Audit.save` wrote.
        sha256: Of manifest.json, as it was noted when the audit was made.
        key: The public key of somebody who must have signed the audit.

    Returns:
        A verdict; false, with the first difference, if anything differs.

    Raises:
        AuditError: The folder is no audit at all.
        SettingError: `sha256` is none.
        SigningError: The key cannot be used.

    Example:
        >>> home = pathlib.Path(tempfile.mkdtemp())
        >>> kt.Audit.create(trace, title="Stripes", top=0, sample=5).save(home / "audit")
        >>> kt.verify_files(home / "audit").ok
        True
    """
    check_noted(sha256)
    folder = Path(folder)
    if not (folder / MANIFEST).is_file():
        read_manifest(folder)  # says what is missing
    return Verdict().run(file_checks(folder, sha256, None if key is None else public_key(key)))


def check_noted(sha256: str | None) -> None:
    """Raise SettingError unless what was noted is a SHA-256, or nothing."""
    if sha256 is not None and not (isinstance(sha256, str) and re.fullmatch("[0-9a-fA-F]{64}", sha256)):
        raise SettingError(f"sha256 {short(sha256)}", "not 64 hexadecimal digits", "Copy it again, whole")


def file_checks(folder: Path, sha256: str | None = None, key: SSlibKey | None = None) -> Iterator[Check]:
    yield "manifest", lambda: check_manifest(folder, sha256)
    yield "files", lambda: check_files(folder)
    if key is not None or os.path.lexists(folder / SIGNATURE):
        yield "signature", lambda: check_signature(folder, key)


def check_manifest(folder: Path, sha256: str | None) -> str:
    """The manifest is sealed, and the one that is meant."""
    manifest = read_manifest(folder)
    digest = file_digest(folder / MANIFEST)
    if sha256 is not None and digest != sha256.lower():
        raise Difference(f"{MANIFEST} has SHA-256 {digest}, not {sha256}")
    if (folder / MANIFEST).read_bytes() != manifest_bytes({n: v for n, v in manifest.items() if n != "sha256"}):
        raise Difference(f"{MANIFEST} holds something besides its fields")
    return f"SHA-256 {digest}"


def check_files(folder: Path) -> str:
    """Every file is there, and nothing else, with the size and the bytes that the manifest names."""
    known, there = read_manifest(folder)["files"], plain_files(folder) - {MANIFEST, SIGNATURE}
    for name in sorted({*known} - there):
        raise Difference(f"{name} is missing")
    for name in sorted(there - {*known}):
        raise Difference(f"{name} was added")
    for name, found in file_list(folder).items():
        if known[name] != found:
            raise Difference(f"{name} was changed: its bytes have another digest than the manifest says")
    return f"{len(known)} with their digests"
