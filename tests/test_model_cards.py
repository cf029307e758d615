"""The model card of Deep Image Analogy says what the log of its weights says, and its pictures are there."""

import json
import re

from docs import make_card


def test_the_numbers_of_the_card_are_those_of_the_log():
    card = make_card.CARD.read_text(encoding="utf-8")
    assert make_card.filled(card, json.loads(make_card.LOG.read_text())) == card


def test_other_weights_give_another_card():
    log = json.loads(make_card.LOG.read_text())
    log["scores"]["photos_eval"]["conv4_1"]["found"] = 0.12345
    assert "| conv4_1 | 0.123 |" in make_card.filled(make_card.CARD.read_text(encoding="utf-8"), log)


def test_its_pictures_are_there_and_small():
    names = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", make_card.CARD.read_text(encoding="utf-8"))
    assert len(names) >= 5
    for name in names:
        assert (make_card.WEIGHTS / name).stat().st_size <= 300_000
