"""Licences: what was written, and the SPDX identifier where it is certain which one that is."""

from __future__ import annotations

import re
from functools import cache

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

UNKNOWN = "unknown"
"""A value, never a gap."""
EXPRESSION = re.compile(r"[\w.+:() -]{1,200}", re.ASCII)
"""What SPDX expressions are made of."""
PLAIN_WORD = re.compile(r"[A-Z]?[a-z]+")
"""Identifiers that are words or names, too: Fair, Glide, Intel, Nokia. Whoever writes them may mean something else."""
NAMES = {
    "apache license 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "free art license 1.3": "LAL-1.3",
    "licence art libre 1.3": "LAL-1.3",
    "mit license": "MIT",
    "open government licence v3.0": "OGL-UK-3.0",
    "the unlicense": "Unlicense",
    "unlicense": "Unlicense",
}
ZERO = re.compile(
    r"(?:cc[ -]?(?:0|zero)|creative commons (?:0|zero|cc0))(?:[ -]?v?1(?:\.0)?)?(?: universal)?(?: licen[cs]e)?"
)
DEDICATION = re.compile(r"(?:cc0 )?public domain(?: dedication)?")
"""What people write beside CC0; alone it says nothing certain."""
MARK = re.compile(r"(?:cc[ -]|creative commons )?(?:public domain mark|pdm)(?: 1\.0)?(?: universal)?")
TERMS = (
    (r"\battribution\b", "by"),
    (r"\bnon-?commercial\b", "nc"),
    (r"\bno-? ?deriv(?:ative)?s?(?: works)?\b", "nd"),
    (r"\bshare-? ?alike\b", "sa"),
)
DEED = re.compile(
    r"(?P<cc>cc[ -]|creative commons )?(?P<terms>by(?:[ -](?:nc|nd|sa))*)[ -]?v?(?P<version>\d(?:\.\d)?)"
    r"(?:[ -](?P<port>international|unported|generic|[a-z]{2}|igo))?(?: public)?(?: licen[cs]e)?"
)
PORTS = {"international": ("4.0",), "unported": ("3.0",), "generic": ("1.0", "2.0", "2.5")}
"""The versions of which a licence for no country in particular has that name."""
ONLY_MINOR = {"3": "3.0", "4": "4.0"}
LINK = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/(?P<kind>licenses|publicdomain)/(?P<terms>[a-z-]+)/(?P<version>\d\.\d)"
    r"(?:/(?P<port>[a-z]{2}|igo))?(?:/(?:deed|legalcode)(?:\.[a-z-]+)?)?/?"
)
SPDX_LINK = re.compile(r"https?://spdx\.org/licenses/(?P<id>[\w.+-]+?)(?:\.html)?/?", re.IGNORECASE)


@cache
def spdx(licence: str) -> str:
    """The SPDX identifier (or expression) of a licence; "unknown" where it is not certain.

    Certain are SPDX identifiers in any letter case, the addresses of Creative Commons licences, and their names with
    their version. "CC BY" is not (which version?), nor is "public domain", which is no licence.

    Example:
        >>> spdx("CC BY-SA 4.0"), spdx("https://creativecommons.org/publicdomain/zero/1.0/"), spdx("CC BY")
        ('CC-BY-SA-4.0', 'CC0-1.0', 'unknown')
    """
    whole = identified(licence)
    if whole != UNKNOWN:
        return whole
    # "Attribution 4.0 International (CC BY 4.0)": every part must say the same.
    parts = [part.strip() for part in re.split(r"[()<>,;|]", licence) if part.strip()]
    found = {identified(part) for part in parts}
    if found == {"CC0-1.0", UNKNOWN} and all(identified(p) != UNKNOWN or DEDICATION.fullmatch(plain(p)) for p in parts):
        return "CC0-1.0"
    return found.pop() if len(found) == 1 else UNKNOWN


def in_short(licence: str) -> str:
    """A licence by its SPDX identifier, or as it was written where that is not certain."""
    known = spdx(licence)
    return licence if known == UNKNOWN else known


def readable(licence: str) -> str:
    """A licence to be read: its SPDX identifier, and what was written where that is something else."""
    known = spdx(licence)
    return licence if known in (UNKNOWN, licence) else f"{known} ({licence})"


def identified(text: str) -> str:
    """The identifier that one piece of text names."""
    name = plain(text)
    link = LINK.fullmatch(name)
    if link:
        return from_link(link)
    deed = DEED.fullmatch(with_terms(name))
    if deed:
        return from_deed(deed)
    if ZERO.fullmatch(name):
        return "CC0-1.0"
    if MARK.fullmatch(name):
        return canonical("CC-PDM-1.0")
    stated = SPDX_LINK.fullmatch(text.strip())
    return NAMES.get(name.replace(",", "")) or canonical(stated["id"] if stated else text.strip())


def plain(text: str) -> str:
    """Text in lower case, with single spaces."""
    return " ".join(text.casefold().replace("_", " ").replace("\N{EN DASH}", "-").split())


def with_terms(name: str) -> str:
    """The names of Creative Commons' terms as their two letters."""
    for words, letters in TERMS:
        name = re.sub(words, letters, name)
    return name


def from_deed(deed: re.Match[str]) -> str:
    terms, port = deed["terms"].replace(" ", "-"), deed["port"] or ""
    version = ONLY_MINOR.get(deed["version"], deed["version"])
    if port in PORTS:
        return creative_commons(terms, version, "") if version in PORTS[port] else UNKNOWN
    return creative_commons(terms, version, port) if deed["cc"] or "by-" in terms else UNKNOWN


def from_link(link: re.Match[str]) -> str:
    if link["kind"] == "licenses":
        return creative_commons(link["terms"], link["version"], link["port"] or "")
    public = {("zero", "1.0"): "CC0-1.0", ("mark", "1.0"): "CC-PDM-1.0"}
    return canonical(public.get((link["terms"], link["version"]), ""))


def creative_commons(terms: str, version: str, port: str) -> str:
    """A licence's identifier; those for a country of their own are other licences, of which SPDX lists some."""
    given = terms.split("-")
    order = [term for term in ("by", "nc", "nd", "sa") if term in given]
    if sorted(order) != sorted(given):
        return UNKNOWN
    return canonical("-".join(("CC", *order, version, *([port] if port else []))))


def canonical(text: str) -> str:
    """An SPDX expression as SPDX writes it."""
    if not EXPRESSION.fullmatch(text):
        return UNKNOWN
    try:
        found = str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return UNKNOWN
    words = [word for word in re.split(r"[ ()]+", found) if word not in ("AND", "OR", "WITH")]
    return UNKNOWN if any(PLAIN_WORD.fullmatch(word) for word in words) else found
