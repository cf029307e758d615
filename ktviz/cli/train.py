"""`ktviz train`: the recipe for encoder and decoder weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ktviz.cli.console import Quiet, print_table
from ktviz.errors import SettingError
from ktviz.images import find_images


def train(
    images: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Training images; folders are read whole.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="RUN", help="The run's folder.")],
    teacher: Annotated[
        Path | None, typer.Option(metavar="VGG19", help="VGG-19 weights, normalised or torchvision's layout.")
    ] = None,
    frozen: Annotated[
        Path | None,
        typer.Option(metavar="VGG19", help="Train only a decoder, for this VGG-19 as it is, instead of a student."),
    ] = None,
    layer: Annotated[str, typer.Option(help="Layer of --frozen: relu3_1 or relu3_2.")] = "relu3_1",
    evaluate: Annotated[
        list[Path] | None, typer.Option("--eval", metavar="FOLDER", help="Held-out images to score; repeatable.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Updates; the default made the shipped weights.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the weights and the crops.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's checkpoint.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train a compact student of VGG-19 and its decoder; or a decoder for VGG-19 itself (--frozen)."""
    if (teacher is None) == (frozen is None):
        raise SettingError("train", "neither or both of --teacher and --frozen", "Give one of them")
    paths = find_images(images).paths
    evaluation = {folder.name: find_images([folder]).paths for folder in evaluate or []}
    if len(evaluation) < len(evaluate or []):
        raise SettingError("--eval", "two folders of the same name", "Rename one")

    import torch

    from ktviz.systems.kt.encoder import Encoder
    from ktviz.training.recipe import Recipe
    from ktviz.training.recipe import train as run
    from ktviz.training.teacher import Teacher

    device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    changed = {name: value for name, value in (("steps", steps), ("seed", seed)) if value is not None}
    recipe = Recipe(**changed)
    torch.manual_seed(recipe.seed)
    log = run(
        paths,
        output,
        encoder=Encoder.student() if frozen is None else Encoder.vgg19(frozen, layer),  # type: ignore[arg-type]
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
