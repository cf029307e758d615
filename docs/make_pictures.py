"""Scale pictures for the README: `ktviz demo && python examples/which_knowledge.py && python docs/make_pictures.py`.

The picture of the audit is a screenshot of which-knowledge/audit/report.html, 1200 px wide, saved as audit.png there.
"""

from pathlib import Path

from ktviz.images import read_image, resize, write_image

DEMO, EXAMPLE, IMAGES = Path("ktviz-demo"), Path("which-knowledge"), Path(__file__).parent / "images"
PICTURES = {
    "backtracking": (DEMO / "chelsea_art-woodcut_backtracking.png", 1280),
    "art": (DEMO / "coffee_art-impasto_beside.png", 800),
    "hdr": (DEMO / "rocket_hdr-vivid_beside.png", 800),
    "comic": (DEMO / "astronaut_comic-halftone_beside.png", 800),
    "trace": (EXAMPLE / "trace.png", 900),
    "audit": (EXAMPLE / "audit.png", 900),
}


def main() -> None:
    for name, (file, width) in PICTURES.items():
        if not file.exists():
            print(f"left as it is: {name} ({file} is not there)")
            continue
        picture = read_image(file)
        height = round(picture.shape[0] * width / picture.shape[1])
        write_image(IMAGES / f"{name}.jpg", resize(picture, width, height))


if __name__ == "__main__":
    main()
