"""Content credentials (C2PA): a picture that carries, signed, which works it was made of and how much of each."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd

from ktviz import __version__
from ktviz.audit.certificates import read_pair
from ktviz.errors import AuditError, MissingAuditError, SigningError
from ktviz.explain.result import one_site
from ktviz.explain.source_pictures import source_picture
from ktviz.files import replacing
from ktviz.images import Pixels, encode_image, shrink
from ktviz.trace.named import title_of
from ktviz.trace.recorded import as_trace
from ktviz.trace.shares import lacking
from ktviz.trace.trace import Trace

ATTRIBUTION, WORK = "org.ktviz.attribution", "org.ktviz.work"
"""The assertion about the whole picture, and what is said of an ingredient."""
MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""Of IPTC's kinds of digital pictures: put together with networks that were trained."""
FORMATS = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
KINDS: Mapping[str, Literal["png", "jpeg", "webp"]] = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/webp": "webp",
}
THUMB_PX = 256
GREY = 128
OF_WORK = ("source", "sha256", "share")
MOST_SHARE = 1e6
COLUMNS = ["source", "title", "creator", "year", "licence", "spdx", "url", "sha256", "share"]


@dataclass(frozen=True)
class Credentials:
    """What a picture says that it was made of.

    Attributes:
        state: "Valid" where the picture is as it was signed, "Trusted" where the reader trusts the signer, too, else
            "Invalid".
        remarks: Codes of C2PA, such as "signingCredential.untrusted".
        signer: Name in the certificate.
        works: One row per work: source, title, creator, year, licence, spdx, url, sha256, share.
        about: Method of the shares, digest of the trace, what the shares lack to 1, by why.
    """

    state: str
    remarks: tuple[str, ...]
    signer: str
    works: pd.DataFrame
    about: Mapping[str, Any]


def write_credentials(
    path: str | os.PathLike[str],
    trace: Trace,
    certificates: str | os.PathLike[str],
    key: str | os.PathLike[str],
    *,
    thumbs: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Write the output of a trace with a signed claim: one ingredient per work, with its share, licence and digest.

    Shares are by overlap, of the whole picture. A claim says who says so; that it is true, an audit shows.

    Args:
        path: Ends in .png, .jpg or .webp; a file that is there is replaced.
        trace: Of one image, with its output.
        certificates: The signer's certificate, and those up to its authority, PEM.
        key: The private key that belongs to it: ECDSA on P-256, PEM.
        thumbs: Small pictures of the works, JPEG, by source; for others the system that recorded is asked.

    Raises:
        SigningError: Certificate and key cannot be used, or `c2pa-python` is not installed.
        AuditError: The trace has no output, or the name of the file another end.
        StorageError: The disk refuses.

    Example:
        >>> write_credentials("out.png", trace, "ann.key.crt", "ann.key")  # doctest: +SKIP
    """
    path = Path(path)
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise AuditError(
            f"credentials in {path.name!r}", "no kind of file that holds them", "Name it .png, .jpg or .webp"
        )
    data = signed(trace, path.name, kind, certificates, key, thumbs)
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def signed(
    trace: Trace,
    title: str,
    kind: str,
    certificates: str | os.PathLike[str],
    key: str | os.PathLike[str],
    thumbs: Mapping[str, bytes],
) -> bytes:
    """The file of an output with its claim."""
    c2pa, trace = library(), as_trace(trace)
    if trace.output is None:
        raise AuditError("credentials of a trace", "it has no output", "Save and open it with its pictures")
    chain, secret = read_pair(certificates, key)
    found = BytesIO()
    try:
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, secret, None))
        builder = c2pa.Builder(claim(trace, title, kind), offline(c2pa))
        for work in works_of(trace):
            thumb = thumbs.get(work["source"]) or thumbnail(trace, work["source"])
            builder.add_ingredient(ingredient(work), "image/jpeg", BytesIO(thumb))
        builder.sign(signer, kind, BytesIO(encoded(trace.output, kind)), found)
    except c2pa.C2paError as error:
        certificate, said = "Look at the certificate: C2PA asks more of it", "Look at what is said of its works"
        todo = certificate if isinstance(error, c2pa.C2paError.Signature) else said
        raise SigningError(f"sign {title!r}", str(error), todo) from None
    return found.getvalue()


def read_credentials(path: str | os.PathLike[str]) -> Credentials:
    """What a picture says that it was made of, and whether it is as it was signed.

    Args:
        path: A picture that `write_credentials` wrote.

    Raises:
        MissingAuditError: There is no such file.
        AuditError: It carries no credentials, or none by ktviz.
        SigningError: `c2pa-python` is not installed.

    Example:
        >>> read_credentials("out.png").works[["title", "licence", "share"]]  # doctest: +SKIP
    """
    c2pa, path = library(), Path(path)
    asked = f"credentials of {path.name!r}"
    if not path.is_file():
        raise MissingAuditError(asked, "no such file", "Check the path")
    try:
        with c2pa.Reader(path, context=offline(c2pa)) as reader:
            said = json.loads(reader.json())
    except c2pa.C2paError as error:
        raise AuditError(asked, f"it carries none that can be read ({error})", "Ask who made it") from None
    try:
        return as_credentials(said)
    except KeyError:
        found = "they are not by ktviz: no shares are said"
        raise AuditError(asked, found, "Read them with a tool of C2PA") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise AuditError(asked, f"what they say of shares is broken ({error})", "Ask who made it") from None


def as_credentials(said: Mapping[str, Any]) -> Credentials:
    """What a reader found, held to what ktviz writes: whoever has a certificate can sign anything.

    Raises:
        KeyError: It is not by ktviz.
        TypeError, ValueError, AttributeError: It is not as ktviz writes it.
    """
    manifest = said["manifests"][said["active_manifest"]]
    found = [one["data"] for one in manifest.get("assertions", []) if one["label"].split("__")[0] == ATTRIBUTION]
    if not found:
        raise KeyError(ATTRIBUTION)
    if len(found) > 1:
        raise ValueError("shares are said twice")
    about = found[0]
    known = (one.get("metadata") or {} for one in manifest.get("ingredients", []))
    rows = [metadata[WORK] for metadata in known if WORK in metadata]
    check_said(about, rows)
    return Credentials(
        said["validation_state"],
        tuple(status["code"] for status in said.get("validation_status", [])),
        (manifest.get("signature_info") or {}).get("common_name") or "",
        pd.DataFrame(rows, columns=COLUMNS),
        about,
    )


def check_said(about: Any, rows: Sequence[Any]) -> None:
    """Raise ValueError unless shares are numbers, and said alike of the picture and of its ingredients."""
    if not isinstance(about, dict) or not isinstance(about.get("lacking"), dict):
        raise ValueError("no table of shares")
    if not all(isinstance(row, dict) and set(row) == set(COLUMNS) for row in rows):
        raise ValueError("a work lacks a part")
    numbers = [*about["lacking"].values(), *(row["share"] for row in rows)]
    if not all(type(value) in (int, float) and abs(value) < MOST_SHARE for value in numbers):
        raise ValueError("a share is no number")
    if [{name: row[name] for name in OF_WORK} for row in rows] != about.get("works"):
        raise ValueError("the picture and its ingredients say different shares")


def offline(c2pa: Any) -> Any:
    """Reads and signs without asking the network: a picture of a stranger may name an address."""
    verify = {"remote_manifest_fetch": False, "ocsp_fetch": False}
    return c2pa.Context(settings=c2pa.Settings.from_dict({"verify": verify}))


def library() -> Any:
    """The library of the Content Authenticity Initiative, which signs and reads."""
    try:
        import c2pa
    except ImportError:
        raise SigningError(
            "content credentials", "c2pa-python is not installed", "Install it: pip install c2pa-python"
        ) from None
    return c2pa


def claim(trace: Trace, title: str, kind: str) -> dict[str, Any]:
    """What is said of the whole picture."""
    agent = {"name": "ktviz", "version": __version__}
    made = {"action": "c2pa.created", "digitalSourceType": MADE, "softwareAgent": agent}
    attribution = {
        "method": "overlap",
        "system": trace.system,
        "trace": trace.digest,
        "lacking": lacking(one_site(trace)),
        "works": [{name: work[name] for name in OF_WORK} for work in works_of(trace)],
    }
    return {
        "claim_generator_info": [agent],
        "title": title,
        "format": kind,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [made]}},
            {"label": ATTRIBUTION, "data": attribution},
        ],
    }


def works_of(trace: Trace) -> Sequence[dict[str, Any]]:
    """The works that have a share, largest first."""
    table = one_site(trace).sources()
    if not np.isfinite(table["share"]).all():
        raise AuditError("credentials of a trace", "a share is no finite number", "Make the trace again")
    rows = table[table["share"] != 0].reindex(columns=COLUMNS).astype(object).fillna("unknown").to_dict("records")
    return [{**{str(name): value for name, value in row.items()}, "title": title_of(row)} for row in rows]


def ingredient(work: Mapping[str, Any]) -> dict[str, Any]:
    """A work, for readers that know nothing of ktviz and for those that do."""
    licence = work["licence"] if work["spdx"] == "unknown" else work["spdx"]
    said = {
        "title": work["title"],
        "relationship": "inputTo",
        "description": f"{work['share']:.1%} of the picture, by {work['creator']}, licence {licence}",
        "metadata": {WORK: dict(work)},
    }
    return said if work["url"] == "unknown" else {**said, "informational_URI": work["url"]}


def thumbnail(trace: Trace, source: str) -> bytes:
    """A work in small, JPEG; grey where nobody has its picture."""
    picture = source_picture(trace, source)
    return encode_image(grey() if picture is None else shrink(picture, THUMB_PX), "jpeg")


def grey() -> Pixels:
    """Where a picture is missing."""
    return np.full((THUMB_PX // 4, THUMB_PX // 4, 3), GREY, dtype=np.uint8)


def encoded(pixels: Pixels, kind: str) -> bytes:
    """The output as a file."""
    return encode_image(pixels, KINDS[kind])
