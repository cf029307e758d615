"""Build the wheels, and check them: `make wheels`.

`ktviz` is everything. `ktviz-read` is the same code for those who receive traces and audits: it depends on neither
torch nor what trains, searches and shows, and comes without networks, sample data and lessons. An extra can only add to
what a package depends on, so it is a distribution of its own; the two cannot be installed together.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from wheel.wheelfile import WheelFile

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
NAME = "ktviz-read"
LEFT_OUT = ("/weights/", "ktviz/sample_data/", "ktviz/notebooks/", "ktviz/widgets/static/")
KEPT = frozenset(
    {
        "cryptography",
        "filelock",
        "jinja2",
        "numpy",
        "packaging",
        "pandas",
        "pillow",
        "platformdirs",
        "pyarrow",
        "rich",
        "safetensors",
        "securesystemslib",
        "tqdm",
        "typer",
    }
)
"""What reading and checking needs, of all that ktviz depends on."""


def main() -> None:
    """Both wheels, into dist/."""
    DIST.mkdir(exist_ok=True)
    run("pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", DIST, ROOT)
    whole = max(DIST.glob("ktviz-*.whl"), key=lambda path: path.stat().st_mtime)
    made = [whole, light(whole, DIST)]
    run("twine", "check", "--strict", *made)
    # Two banks of scenes have the same classes; lessons are files to copy, whose names nobody imports.
    run("check_wheel_contents", "--ignore", "W002,W004", *made)
    for path in made:
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


def run(*command: object) -> None:
    """A Python module, which must succeed."""
    subprocess.run([sys.executable, "-m", *map(str, command)], check=True)


def light(whole: Path, folder: Path) -> Path:
    """The wheel of `ktviz-read`, made of that of ktviz."""
    with TemporaryDirectory() as scratch, WheelFile(whole) as source:
        unpacked = Path(scratch)
        source.extractall(unpacked)
        (old,) = unpacked.glob("*.dist-info")
        info = old.rename(unpacked / old.name.replace("ktviz-", f"{NAME.replace('-', '_')}-"))
        (info / "RECORD").unlink()
        metadata = info / "METADATA"
        metadata.write_text(renamed(metadata.read_text(encoding="utf-8")), encoding="utf-8")
        target = folder / whole.name.replace("ktviz-", f"{NAME.replace('-', '_')}-", 1)
        with WheelFile(target, "w") as wheel:
            for path in sorted(unpacked.rglob("*")):
                name = path.relative_to(unpacked).as_posix()
                if path.is_file() and not any(part in f"/{name}" or name.startswith(part) for part in LEFT_OUT):
                    wheel.write(path, name)
        return target


def renamed(metadata: str) -> str:
    """Metadata under the other name, without what is not needed and without extras."""
    head, _, text = metadata.partition("\n\n")
    lines = []
    for line in head.splitlines():
        if line.startswith("Name:"):
            line = f"Name: {NAME}"
        elif line.startswith("Summary:"):
            line = "Summary: Read and check what ktviz recorded, without torch."
        needed = line.startswith("Requires-Dist:") and "extra ==" not in line
        if line.startswith("Provides-Extra:") or (line.startswith("Requires-Dist:") and not needed):
            continue
        if needed and requirement(line) not in KEPT:
            continue
        lines.append(line)
    return "\n".join(lines) + "\n\n" + text


def requirement(line: str) -> str:
    """The package that a line of metadata requires."""
    name = line.removeprefix("Requires-Dist:").strip()
    return "".join(letter if letter.isalnum() or letter in "-_." else " " for letter in name).split()[0].lower()


def dependencies() -> list[str]:
    """What `ktviz-read` depends on, as pyproject.toml states it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [one for one in project["dependencies"] if requirement(f"Requires-Dist: {one}") in KEPT]


if __name__ == "__main__":
    main()
