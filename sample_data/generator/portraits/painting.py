"""A portrait, layer by layer from the back to the front."""

from __future__ import annotations

import colorsys

import numpy as np

from ..colour import hex_colour, mix, smoothstep
from ..noise import fbm
from .clay import Clay, arc, merged, overlap
from .faces import Face

Array = np.ndarray
SKIN = ("#f6d7c3", "#e3b08c", "#b97f58", "#7c4c33")
SHADES = {
    "Dark_Hair": ("#1d1918", "#4a3326"),
    "Blond_Hair": ("#b98d45", "#f0d58e"),
    "Red_Hair": ("#7e2a18", "#d0632a"),
}
EYE_Y, MOUTH_Y = -0.02, 0.36


def paint(face: Face, size: int, seed: int) -> Array:
    """Display colours (size, size, 3)."""
    clay = Clay(size)
    wall(clay, face, seed)
    tone, hair = skin(face), hair_colour(face)
    hair_behind(clay, face, hair, seed)
    bust(clay, face, tone)
    head = head_of(clay, face)
    ears(clay, face, tone)
    clay.add(head, tone, rounding=0.42, gloss=0.06, shadow=0.34, reach=0.06, shade=0.85)
    cheeks(clay, face, tone)
    lines_of_age(clay, face)
    eyes(clay, face, tone)
    nose(clay, face, tone)
    if face.has("Beard"):
        beard(clay, face, head, hair, seed)
    mouth(clay, face, tone)
    brows(clay, face, hair)
    hair_before(clay, face, head, hair, seed)
    if face.has("Glasses"):
        glasses(clay, face)
    if face.has("Hat"):
        hat(clay, face, seed)
    return np.clip(clay.picture, 0, 1)


def hsl(hue: float, light: float, saturation: float) -> Array:
    return np.array(colorsys.hls_to_rgb((hue % 360) / 360, light, saturation))


def skin(face: Face) -> Array:
    place = face.person.skin * (len(SKIN) - 1)
    first = min(int(place), len(SKIN) - 2)
    tone = mix(hex_colour(SKIN[first]), hex_colour(SKIN[first + 1]), place - first)
    return mix(tone, np.full(3, 0.78), 0.12) if face.has("Old") else tone


def hair_colour(face: Face) -> Array:
    """Within its colour by shade; age makes it grey."""
    name = next(name for name in SHADES if face.has(name))
    colour = mix(hex_colour(SHADES[name][0]), hex_colour(SHADES[name][1]), face.shades.hair)
    if face.has("Old"):
        grey = np.full(3, 0.62 + 0.26 * face.shades.age)
        colour = mix(colour, grey, 0.35 + 0.4 * face.shades.age)
    return colour


def wall(clay: Clay, face: Face, seed: int) -> None:
    colour = hsl(face.person.wall, 0.62, 0.28)
    falling = 1.12 - 0.22 * (clay.x + clay.y)
    grain = 1 + 0.02 * fbm(clay.x * 9, clay.y * 9, seed, 3)
    clay.fill(np.clip(colour * (falling * grain)[..., None], 0, 1))


def head_of(clay: Clay, face: Face) -> Array:
    """Skull and jaw."""
    who = face.person
    skull = clay.ellipse(0, -0.1, who.wide, 0.52)
    chin = clay.ellipse(0, 0.2, who.wide * (0.82 + 0.08 * who.jaw), 0.44, 2.0 + 0.8 * who.jaw)
    return merged(skull, chin, 0.1)


def bust(clay: Clay, face: Face, tone: Array) -> None:
    """Neck, shoulders and clothes."""
    cloth = hsl(face.person.cloth, 0.42, 0.42)
    shoulders = clay.ellipse(0, 1.22, 0.86, 0.52, 2.6)
    clay.add(shoulders, cloth, rounding=0.3, gloss=0.04, shadow=0.25)
    if face.person.collar < 0.4:
        neck, opening = clay.ellipse(0, 0.56, 0.2, 0.3, 3), clay.ellipse(0, 0.75, 0.27, 0.17)
        clay.add(np.abs(opening) - 0.025, cloth * 0.85, rounding=0.03, shadow=0.15, reach=0.02)
        seen = np.minimum(neck, opening + 0.025)
        clay.add(merged(neck, opening, 0.1), tone * 0.93, cut=seen, rounding=0.2, gloss=0.02, shadow=0)
    else:
        clay.add(clay.ellipse(0, 0.62, 0.2, 0.36, 3), tone * 0.93, rounding=0.22, gloss=0.02, shadow=0.15)
        roll = clay.ellipse(0, 0.87, 0.3, 0.11, 2.6)
        clay.add(roll, cloth * 0.92, rounding=0.09, gloss=0.04, shadow=0.25)


def ears(clay: Clay, face: Face, tone: Array) -> None:
    for side in (-1, 1):
        clay.add(clay.ellipse(side * (face.person.wide + 0.015), 0.06, 0.085, 0.125), tone * 0.97, rounding=0.07)


def cheeks(clay: Clay, face: Face, tone: Array) -> None:
    warm = tone * np.array([1.06, 0.82, 0.78])
    for side in (-1, 1):
        clay.tint(0.34 * smoothstep(0.06, -0.1, clay.ellipse(side * 0.24, 0.2, 0.13, 0.11)), warm)


def lines_of_age(clay: Clay, face: Face) -> None:
    if not face.has("Old"):
        return
    strength = 0.42 + 0.3 * face.shades.age
    ways = [arc(-0.2, 0.2, y, 0.025) for y in (-0.3, -0.37)]
    for side in (-1, 1):
        ways.append(np.array([[side * 0.13, 0.19], [side * 0.19, 0.27], [side * 0.215, 0.36]]))
        ways += [np.array([[side * 0.32, y], [side * 0.385, y + slope]]) for y, slope in ((-0.03, -0.03), (0.01, 0.02))]
        ways.append(arc(side * 0.1, side * 0.28, 0.065, -0.03))
    for way in ways:
        clay.darken(strength * smoothstep(0.012, 0.0, clay.line(way, 0.004)), 0.6)


def eyes(clay: Clay, face: Face, tone: Array) -> None:
    iris = hsl(face.person.eyes, 0.36, 0.45)
    squint = 0.012 * face.shades.smile if face.has("Smile") else 0
    for side in (-1, 1):
        cx = side * face.person.apart
        white = clay.ellipse(cx, EYE_Y, 0.088, 0.056 - squint, 2.2)
        clay.tint(0.3 * smoothstep(0.05, -0.02, white), tone * 0.7)
        clay.add(white, np.array([0.96, 0.95, 0.93]), rounding=0.05, gloss=0, shadow=0, shade=0.35)
        inside = smoothstep(clay.px, -clay.px, white)
        clay.tint(inside * smoothstep(0.008, -0.008, clay.ellipse(cx, EYE_Y, 0.046, 0.046)), iris)
        clay.tint(inside * smoothstep(0.008, -0.008, clay.ellipse(cx, EYE_Y, 0.022, 0.022)), np.full(3, 0.05))
        clay.tint(0.95 * smoothstep(0.006, -0.006, clay.ellipse(cx - 0.016, EYE_Y - 0.018, 0.012, 0.012)), np.ones(3))
        lid = arc(cx - 0.092, cx + 0.092, EYE_Y + 0.004, 0.058 - squint)
        clay.tint(0.9 * smoothstep(0.008, -0.004, clay.line(lid, 0.009)), tone * 0.28)


def brows(clay: Clay, face: Face, hair: Array) -> None:
    thick, lift = 0.014 + 0.016 * face.person.brows, 0.02 if face.has("Smile") else 0.0
    for side in (-1, 1):
        way = arc(side * 0.095, side * 0.3, -0.135 - lift, 0.03)
        widths = np.linspace(thick, thick * 0.45, len(way))
        clay.add(clay.line(way, widths), hair * 0.8, rounding=0.02, gloss=0.02, shadow=0.12, reach=0.012)


def nose(clay: Clay, face: Face, tone: Array) -> None:
    size = 0.055 + 0.03 * face.person.nose
    bridge = clay.line(np.array([[0, -0.03], [0, 0.13]]), np.array([0.018, size * 0.62]))
    shape = merged(bridge, clay.ellipse(0, 0.15, size, size * 0.72), 0.05)
    for side in (-1, 1):
        shape = merged(shape, clay.ellipse(side * size * 0.9, 0.165, size * 0.5, size * 0.44), 0.03)
    clay.add(shape, tone * 1.0, rounding=0.075, gloss=0.12, shadow=0.2, reach=0.035, shade=0.75)


def mouth(clay: Clay, face: Face, tone: Array) -> None:
    lip = tone * np.array([0.9, 0.58, 0.57])
    if not face.has("Smile"):
        way = arc(-0.115, 0.115, MOUTH_Y, -0.008)
        clay.add(
            clay.line(way, np.concatenate([np.linspace(0.014, 0.03, 5), np.linspace(0.03, 0.014, 5)[1:]])),
            lip,
            rounding=0.03,
            gloss=0.1,
            shadow=0.1,
            reach=0.015,
        )
        clay.tint(0.75 * smoothstep(0.008, -0.002, clay.line(way, 0.005)), lip * 0.45)
        return
    open_, wide = 0.02 + 0.085 * face.shades.smile, 0.16 + 0.03 * face.shades.smile
    u = np.clip(clay.x / wide, -1, 1)
    upper, lower = MOUTH_Y - 0.045 * u**2, MOUTH_Y + open_ - (open_ + 0.045) * u**2
    gap = np.maximum(np.maximum(upper - clay.y, clay.y - lower), np.abs(clay.x) - wide)
    clay.add(gap - 0.026, lip, rounding=0.03, gloss=0.1, shadow=0.12, reach=0.015)
    clay.tint(smoothstep(0.006, -0.006, gap), np.array([0.25, 0.07, 0.08]))
    teeth = np.maximum(gap, clay.y - upper - 0.035)
    clay.tint(smoothstep(0.005, -0.005, teeth + 0.004), np.array([0.95, 0.94, 0.91]))
    for side in (-1, 1):
        way = np.array([[side * (wide + 0.02), MOUTH_Y - 0.075], [side * (wide + 0.035), MOUTH_Y - 0.03]])
        clay.tint(0.35 * smoothstep(0.014, 0.0, clay.line(way, 0.004)), tone * 0.6)


def strands(clay: Clay, colour: Array, seed: int, around: float = 0.0) -> Array:
    """Hair: streaks that run out from the crown."""
    angle = np.arctan2(clay.x, clay.y + 0.55 + around)
    away = np.hypot(clay.x, clay.y + 0.55)
    streak = fbm(angle * 9, away * 1.4, seed + 1, 4) * smoothstep(0.0, 0.15, away)
    return np.clip(colour * (1 + 0.3 * streak)[..., None], 0, 1)


def hair_behind(clay: Clay, face: Face, hair: Array, seed: int) -> None:
    length = face.person.length
    cap = clay.ellipse(0, -0.16, face.person.wide + 0.115, 0.58)
    if length > 0.35:
        fall = clay.ellipse(0, 0.1 + 0.35 * length, face.person.wide + 0.13, 0.35 + 0.45 * length, 3.4)
        cap = merged(cap, fall, 0.15)
    clay.add(cap, strands(clay, hair * 0.72, seed), rounding=0.25, gloss=0.05, shadow=0.25, reach=0.06)


def hair_before(clay: Clay, face: Face, head: Array, hair: Array, seed: int) -> None:
    """What frames the face; with a fringe it falls over the forehead."""
    outer = merged(clay.ellipse(0, -0.17, face.person.wide + 0.1, 0.57), head, 0.05)
    lean = 2 * face.shades.fringe - 1
    if face.has("Fringe"):
        border = -0.24 + 0.06 * np.cos(clay.x * 22 + seed) * 0.25 + 0.2 * lean * clay.x + 0.25 * clay.x**2
    else:
        border = -0.42 + 0.9 * clay.x**2 - 0.1 * np.abs(clay.x)
    temples = np.abs(clay.x) - face.person.wide * (0.93 - 0.1 * face.person.length)
    sides = overlap(-temples, clay.y - (0.1 + 0.45 * face.person.length), 0.08)
    front = merged(clay.y - border, sides, 0.08)
    clay.add(overlap(outer, front, 0.1), strands(clay, hair, seed), rounding=0.15, gloss=0.1, shadow=0.3, reach=0.035)


def beard(clay: Clay, face: Face, head: Array, hair: Array, seed: int) -> None:
    long = face.shades.beard
    lower = merged(head - 0.015 - 0.02 * long, clay.ellipse(0, 0.5 + 0.12 * long, 0.3, 0.16 + 0.2 * long), 0.12)
    border = 0.2 + 0.5 * np.abs(clay.x) ** 1.5 - 0.62 * np.maximum(np.abs(clay.x) - 0.26, 0)
    shape = overlap(lower, border - clay.y, 0.08)
    grain = fbm(clay.x * 16, clay.y * 7, seed + 4, 3)
    colour = np.clip(hair * 0.9 * (1 + 0.3 * grain)[..., None], 0, 1)
    clay.add(shape, colour, rounding=0.16, gloss=0.04, shadow=0.22, reach=0.03)


def glasses(clay: Clay, face: Face) -> None:
    frame = hsl(360 * face.shades.glasses, 0.25, 0.6)
    power, rx, ry = 2.0 + 3.5 * face.shades.frame, 0.155, 0.125
    for side in (-1, 1):
        lens = clay.ellipse(side * (face.person.apart + 0.015), 0.0, rx, ry, power)
        clay.tint(0.13 * smoothstep(0.004, -0.004, lens), np.array([0.85, 0.93, 1.0]))
        glare = np.abs((clay.x - side * face.person.apart) * 0.7 + clay.y + 0.03) - 0.022
        clay.tint(0.28 * smoothstep(0.004, -0.004, np.maximum(glare, lens + 0.02)), np.ones(3))
        clay.add(np.abs(lens) - 0.017, frame, rounding=0.018, gloss=0.35, shadow=0.25, reach=0.025)
        way = np.array([[side * (face.person.apart + 0.16), -0.03], [side * (face.person.wide + 0.02), -0.045]])
        clay.add(clay.line(way, 0.013), frame, rounding=0.015, gloss=0.3, shadow=0.15, reach=0.02)
    clay.add(
        clay.line(arc(-0.055, 0.055, 0.0, 0.025), 0.014), frame, rounding=0.015, gloss=0.35, shadow=0.2, reach=0.02
    )


def hat(clay: Clay, face: Face, seed: int) -> None:
    colour = hsl(360 * face.shades.hat, 0.45, 0.55)
    wide, crown = face.person.wide + 0.14, face.shades.crown
    dome, below = clay.ellipse(0, -0.42, wide - 0.06 * crown, 0.5, 2 + 1.8 * crown), clay.y + 0.38
    knit = 1 + (1 - crown) * 0.1 * np.sign(np.sin(clay.x * 60)) * (clay.y > -0.9)
    felt = 1 + 0.05 * fbm(clay.x * 20, clay.y * 20, seed + 6, 3)
    cloth = np.clip(colour * (knit * felt)[..., None], 0, 1)
    clay.add(dome, cloth, cut=below, rounding=0.3, gloss=0.05, shadow=0.3, reach=0.05)
    if crown > 0.5:
        clay.add(dome, colour * 0.45, cut=np.abs(clay.y + 0.44) - 0.06, rounding=0.3, gloss=0.04, shadow=0)
        tip = wide + 0.2 + 0.2 * (crown - 0.5)
        brim = clay.line(arc(-tip, tip, -0.37, -0.012), 0.028 + 0.045 * np.sqrt(1 - np.linspace(-1, 1, 9) ** 2))
        clay.add(brim, colour, rounding=0.07, gloss=0.08, shadow=0.4, reach=0.08)
    else:
        cuff = overlap(np.abs(clay.x) - wide - 0.01, np.abs(clay.y + 0.4 - 0.12 * clay.x**2) - 0.085, 0.06)
        clay.add(cuff, colour * 0.82, rounding=0.07, gloss=0.04, shadow=0.35, reach=0.05)
