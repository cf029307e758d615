"""`ktviz train`: every option is used or refused."""

from pathlib import Path

import pytest

from ktviz.cli.train import train
from ktviz.errors import SettingError


@pytest.mark.parametrize(
    ("system", "given", "words"),
    [
        ("cocosnet", {"teacher": Path("vgg.pth")}, "--teacher given. Leave it out: it is of kt and image-analogy"),
        ("cocosnet", {"frozen": Path("vgg.pth")}, "--frozen given. Leave it out: it is of kt"),
        ("pix2pixhd", {"layer": "relu3_1"}, "--layer given. Leave it out: it is of kt"),
        ("image-analogy", {"frozen": Path("vgg.pth"), "teacher": Path("vgg.pth")}, "--frozen given"),
        ("image-analogy", {"layer": "relu3_2", "teacher": Path("vgg.pth")}, "--layer given"),
        ("image-analogy", {"classes": Path("classes.csv")}, "--classes given. Leave it out: it is of cocosnet and pix"),
        ("kt", {"classes": Path("classes.csv"), "teacher": Path("vgg.pth")}, "--classes given"),
        ("kt", {"layer": "relu3_2", "teacher": Path("vgg.pth")}, "--layer without --frozen"),
        ("kt", {"teacher": Path("vgg.pth"), "frozen": Path("vgg.pth")}, "both of --teacher and --frozen"),
        ("munit", {"classes": Path("classes.csv")}, "--classes given. Leave it out: it is of cocosnet and pix"),
        ("munit", {"teacher": Path("vgg.pth")}, "--teacher given. Leave it out: it is of kt and image-analogy"),
        ("munit", {}, "1 folders. Name two, one of each domain"),
        ("image-analogy", {}, "no --teacher"),
    ],
)
def test_an_option_that_a_training_does_not_take_is_refused(system, given, words, tmp_path):
    with pytest.raises(SettingError) as caught:
        train([Path(system), tmp_path], tmp_path / "run", **given)
    assert words in str(caught.value)
    assert not (tmp_path / "run").exists()
