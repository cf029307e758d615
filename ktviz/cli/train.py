"""`ktviz train`: the recipes for the weights that come with the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ktviz.cli.console import Quiet, print_table, say
from ktviz.cli.making.registry import ANALOGY, BRIDGE, COCOSNET, KT, MUNIT, PIX2PIXHD
from ktviz.cli.train_bridge import train_bridge
from ktviz.cli.train_domains import train_domains
from ktviz.cli.train_maps import train_maps
from ktviz.cli.training_run import TrainingRun
from ktviz.errors import SettingError
from ktviz.images import find_images

TAKES: Mapping[str, tuple[str, ...]] = {
    KT: ("teacher", "frozen", "layer"),
    ANALOGY: ("teacher",),
    COCOSNET: ("classes",),
    PIX2PIXHD: ("classes",),
    MUNIT: (),
    BRIDGE: ("exclusive",),
}
"""Options that not every training takes, by the system that is trained."""
LAYER = "relu3_1"


def train(
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="[SYSTEM] FOLDER...",
            help="kt, image-analogy, cocosnet, pix2pixhd, munit or bridge; training images, folders read whole.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="RUN", help="The run's folder.")],
    teacher: Annotated[
        Path | None,
        typer.Option(
            metavar="VGG19",
            help="The network to learn from: VGG-19, normalised or torchvision's layout (kt, image-analogy).",
        ),
    ] = None,
    frozen: Annotated[
        Path | None,
        typer.Option(
            metavar="VGG19", help="Train only a decoder, for this VGG-19 as it is, instead of a student (kt)."
        ),
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help=f"Layer of --frozen: relu3_1 or relu3_2; {LAYER} if not given (kt).")
    ] = None,
    classes: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="Of label maps: number, name, red, green, blue; else classes.csv beside them (cocosnet, pix2pixhd).",
        ),
    ] = None,
    exclusive: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B...", help="Attributes of which a picture has one, as colours of hair; repeatable (bridge)."
        ),
    ] = None,
    evaluate: Annotated[
        list[Path] | None, typer.Option("--eval", metavar="FOLDER", help="Held-out images to score; repeatable.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Updates; if not given, as many as the recipe says.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the weights and the crops.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's checkpoint.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train a compact student of VGG-19 and its decoder; or a decoder for VGG-19 itself (--frozen); or the networks of
    another system (`ktviz train image-analogy`). Cocosnet and pix2pixhd learn from one folder of pairs: photo/,
    label/ and, where objects are told apart, inst/; munit from two folders, one of each domain; bridge from one of
    pictures/ and attributes.csv."""
    system, images = named_system(images)
    given = {"teacher": teacher, "frozen": frozen, "layer": layer, "classes": classes, "exclusive": exclusive or None}
    check_taken(system, given)
    if system in (COCOSNET, PIX2PIXHD, MUNIT, BRIDGE):
        asked = TrainingRun(
            system, images, output, classes, evaluate or [], steps, seed, chosen_device(device), resume, quiet
        )
        if system == BRIDGE:
            return train_bridge(asked, exclusive or ())
        return (train_domains if system == MUNIT else train_maps)(asked)
    if system == ANALOGY:
        analogy = AnalogyRun(images, output, teacher, evaluate or [], steps, seed, device, resume, quiet)
        return train_analogy(analogy)
    if (teacher is None) == (frozen is None):
        raise SettingError("train", "neither or both of --teacher and --frozen", "Give one of them")
    if layer is not None and frozen is None:
        raise SettingError("train", "--layer without --frozen", "Leave it out: a student has one layer")
    paths = find_images(images).paths
    evaluation = sets(evaluate or [])

    import torch

    from ktviz.systems.kt.encoder import Encoder
    from ktviz.training.kt import Recipe
    from ktviz.training.kt import train as run
    from ktviz.training.teacher import Teacher

    device = chosen_device(device)
    changed = {name: value for name, value in (("steps", steps), ("seed", seed)) if value is not None}
    recipe = Recipe(**changed)
    torch.manual_seed(recipe.seed)
    log = run(
        paths,
        output,
        encoder=Encoder.student() if frozen is None else Encoder.vgg19(frozen, layer or LAYER),  # type: ignore[arg-type]
        teacher=None if teacher is None else Teacher(Encoder.vgg19(teacher)),
        recipe=recipe,
        evaluation=evaluation,
        resume=resume,
        device=device,
        quiet=quiet,
    )
    if not quiet and log["scores"]:
        rows = [
            [name, str(s["images"]), f"{s['psnr']:.2f}", f"{s['ssim']:.3f}", f"{s['cosine']:.3f}"]
            for name, s in log["scores"].items()
        ]
        columns = ["set", "images", "PSNR dB", "SSIM", "cosine"]
        print_table(f"{output}: {recipe.total:,} steps", columns, rows, numbers=columns[1:])
    return None


def named_system(images: list[Path]) -> tuple[str, list[Path]]:
    """Which networks are meant, and the folders: the first word may be a system, if no such folder is there."""
    first = str(images[0])
    if first in TAKES and not images[0].exists():
        if len(images) == 1:
            raise SettingError(f"train {first}", "no folder of images", "Name one or more")
        return first, images[1:]
    return KT, images


def check_taken(system: str, given: Mapping[str, object]) -> None:
    """Raise SettingError where an option was given that the training of a system does not take.

    Args:
        system: Its name.
        given: Options by name; None for what was not given.
    """
    for name, value in given.items():
        if value is not None and name not in TAKES[system]:
            others = " and ".join(other for other, taken in TAKES.items() if name in taken)
            raise SettingError(f"train {system}", f"--{name} given", f"Leave it out: it is of {others}")


def sets(folders: list[Path]) -> dict[str, list[Path]]:
    """Held-out images by the name of their folder."""
    found = {folder.name: list(find_images([folder]).paths) for folder in folders}
    if len(found) < len(folders):
        raise SettingError("--eval", "two folders of the same name", "Rename one")
    return found


def chosen_device(device: str) -> str:
    """A device, the best one there is for "auto"."""
    import torch

    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


@dataclass(frozen=True)
class AnalogyRun:
    """What was asked of a training of image-analogy; see `train`."""

    images: list[Path]
    output: Path
    teacher: Path | None
    evaluate: list[Path]
    steps: int | None
    seed: int | None
    device: str
    resume: bool
    quiet: bool


def train_analogy(asked: AnalogyRun) -> None:
    """Train the pyramid and the inverse blocks of image-analogy."""
    if asked.teacher is None:
        raise SettingError(f"train {ANALOGY}", "no --teacher", "Give --teacher, a network up to conv5_1")

    import torch

    from ktviz.training.image_analogy import Recipe
    from ktviz.training.image_analogy import train as run

    changed = {
        name: value for name, value in (("pyramid_steps", asked.steps), ("seed", asked.seed)) if value is not None
    }
    recipe = Recipe(**changed)
    torch.manual_seed(recipe.seed)
    log = run(
        find_images(asked.images).paths,
        asked.output,
        teacher=asked.teacher,
        recipe=recipe,
        evaluation=sets(asked.evaluate),
        resume=asked.resume,
        device=chosen_device(asked.device),
        quiet=asked.quiet,
    )
    if not asked.quiet:
        for name, scores in log["scores"].items():
            say(f"{name}: {scores}")
