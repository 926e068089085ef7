"""The colours of all illustrations: a few palettes of one hand, each from paper to ink."""

from typing import NamedTuple

Colour = tuple[int, int, int]


class Palette(NamedTuple):
    """Five colours that belong together; `is_dark` palettes put light shapes on a deep ground."""

    paper: Colour
    ground: Colour
    main: Colour
    accent: Colour
    ink: Colour
    is_dark: bool = False

    @property
    def warm(self) -> Colour:
        """The strong colour that suits suns and lights."""
        return max(self.main, self.accent, key=warmth)

    @property
    def cool(self) -> Colour:
        """The colour that suits land and water; dark palettes have none among the strong ones."""
        if self.is_dark:
            return mix(self.paper, (190, 205, 220), 0.18)
        return min(self.main, self.accent, key=warmth)


def warmth(colour: Colour) -> int:
    """Return how much more red than blue a colour has."""
    return colour[0] - colour[2]


def from_hex(text: str) -> Colour:
    """Return the colour written as six hexadecimal digits.

    >>> from_hex("C8553D")
    (200, 85, 61)
    """
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return the colour that lies `share` of the way from `first` to `second`.

    >>> mix((0, 0, 0), (100, 200, 50), 0.5)
    (50, 100, 25)
    """
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def lighter(colour: Colour, share: float = 0.25) -> Colour:
    """Return the colour moved towards a warm white."""
    return mix(colour, (255, 250, 240), share)


def darker(colour: Colour, share: float = 0.25) -> Colour:
    """Return the colour moved towards a blue black."""
    return mix(colour, (18, 16, 28), share)


def palette(text: str, *, is_dark: bool = False) -> Palette:
    """Return the palette written as five hexadecimal colours from paper to ink."""
    paper, ground, main, accent, ink = (from_hex(part) for part in text.split())
    return Palette(paper, ground, main, accent, ink, is_dark)


PALETTES = {
    "terracotta": palette("F6E6D6 E9C3A2 C8553D 4F8385 2D2A32"),
    "sage": palette("EFF1E6 C4D0B6 5F8766 DE9D4E 26332B"),
    "blush": palette("F9EAE6 EFC4BE CB5F74 3D5A80 2B2D42"),
    "mustard": palette("FBF1D8 F1D38A DB9628 2F5D62 2C2A29"),
    "ocean": palette("E5F1F3 A4CBD4 267A99 F0834A 11324D"),
    "lilac": palette("F1EBF5 CBBBDC 7656A3 F2B257 2E2340"),
    "mint": palette("E8F5F0 A8DAC4 29967C F06659 133C38"),
    "stone": palette("F0EDE7 CDC4B7 857A6D D85F36 2B2723"),
    "coral": palette("FDEEE5 FFC3A8 EE6A49 2A6A7C 2A2030"),
    "steel": palette("EAEEF2 B5C2D0 486686 E59C34 1C2733"),
    "olive": palette("F3F0DF D3CD9C 7A7B3B BF5B3F 2A2B1D"),
    "night": palette("33456B 1D2A4A F2B84B E4572E 0D1426", is_dark=True),
    "plum": palette("5E3B5A 2F1F33 F08A5D F6DF70 160E18", is_dark=True),
    "forest": palette("315A4F 17312B E8C468 DB6B48 0B1A17", is_dark=True),
    "ember": palette("5C2629 241416 DE4A33 F4D8B0 0E0808", is_dark=True),
    "teal": palette("1F5F6B 0F333F F4A259 F25C54 08191F", is_dark=True),
    "dusk": palette("5A4A7D 292447 FF9B85 FFD97D 13102A", is_dark=True),
}
LIGHT = tuple(name for name, colours in PALETTES.items() if not colours.is_dark)
DARK = tuple(name for name, colours in PALETTES.items() if colours.is_dark)
