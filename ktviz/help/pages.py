"""Pages about errors: symptom, cause, what to do; one file, from which the documentation makes a page each."""

from __future__ import annotations

from importlib.resources import files

from ktviz.errors import unknown_name


def error_pages() -> dict[str, str]:
    """Markdown about every class of error, by its name, without the heading.

    Example:
        >>> error_pages()["RegionError"].split(" `")[0]
        '**You see**'
    """
    text = files("ktviz.help").joinpath("errors.md").read_text(encoding="utf-8")
    sections = [section.partition("\n") for section in text.split("\n## ")[1:]]
    return {name.strip(): body.strip() for name, _, body in sections}


def error_page(name: str) -> str:
    """Markdown about a class of error.

    Args:
        name: Of the class, such as "RegionError".

    Raises:
        UnknownNameError: There is no error of that name; the message has the nearest.

    Example:
        >>> "What to do" in error_page("StorageError")
        True
    """
    pages = error_pages()
    if name not in pages:
        raise unknown_name("error", name, pages)
    return pages[name]
