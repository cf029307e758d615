"""Scale the demo's pictures for the README: `ktviz demo && python docs/make_pictures.py`."""

from pathlib import Path

from ktviz.images import read_image, resize, write_image

DEMO, IMAGES = Path("ktviz-demo"), Path(__file__).parent / "images"
PICTURES = {
    "backtracking": ("chelsea_art-woodcut_backtracking.png", 1280),
    "art": ("coffee_art-impasto_beside.png", 800),
    "hdr": ("rocket_hdr-vivid_beside.png", 800),
    "comic": ("astronaut_comic-halftone_beside.png", 800),
}


def main() -> None:
    for name, (file, width) in PICTURES.items():
        picture = read_image(DEMO / file)
        height = round(picture.shape[0] * width / picture.shape[1])
        write_image(IMAGES / f"{name}.jpg", resize(picture, width, height))


if __name__ == "__main__":
    main()
