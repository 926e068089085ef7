"""The vocabulary of the synthetic storefront: what its things are called, made of and good for."""

from typing import NamedTuple


class Kind(NamedTuple):
    """A category: its nouns (which also choose the drawing), sentences and usual price."""

    nouns: tuple[str, ...]
    made: tuple[str, ...]
    use: tuple[str, ...]
    price: float


class Style(NamedTuple):
    """A taste: how a thing in it is described, and the colours it comes in."""

    words: tuple[str, ...]
    colours: tuple[str, ...]


CATEGORIES = {
    "Lighting": Kind(
        ("table lamp", "mushroom lamp", "pendant lamp", "globe lamp"),
        (
            "Spun metal shade, hand finished",
            "Mouth-blown glass on a weighted foot",
            "Powder-coated steel with a linen cord",
            "Dimmable, with a warm bulb included",
        ),
        (
            "turns a reading corner into the best seat in the house",
            "lights a table, not a room",
            "is at its best after nine in the evening",
            "makes an entrance feel lived in",
        ),
        119.0,
    ),
    "Ceramics": Kind(
        ("vase", "bud vase", "floor vase", "urn"),
        (
            "Thrown by hand, no two alike",
            "Stoneware with a matt glaze",
            "Fired twice at 1,240 degrees",
            "Porcelain slip over dark clay",
        ),
        (
            "holds a single branch as well as a bouquet",
            "needs no flowers to look finished",
            "is watertight and happy outdoors in summer",
            "stands steady on uneven shelves",
        ),
        58.0,
    ),
    "Furniture": Kind(
        ("lounge chair", "stool", "sofa", "side table"),
        (
            "Solid oak with wedged joints",
            "Steam-bent ash and wool upholstery",
            "Recycled aluminium frame",
            "Beech legs, cover can be washed",
        ),
        (
            "fits where larger pieces do not",
            "is as comfortable as it is light",
            "arrives in one flat box and needs one tool",
            "ages better than it photographs",
        ),
        389.0,
    ),
    "Textiles": Kind(
        (
            "striped wall hanging",
            "patchwork wall hanging",
            "rainbow wall hanging",
            "triangle wall hanging",
        ),
        (
            "Woven from undyed wool and linen",
            "Organic cotton, dyed with plants",
            "Hand-knotted over three weeks",
            "Lambswool with a knotted fringe",
        ),
        (
            "calms a room that echoes",
            "covers the wall that nothing else fits",
            "doubles as a throw in winter",
            "brings colour without paint",
        ),
        96.0,
    ),
    "Kitchen": Kind(
        ("mug", "kettle", "moka pot", "bowl set"),
        (
            "Enamelled steel",
            "Stoneware, safe in dishwasher and oven",
            "Brushed stainless steel with a beech handle",
            "Cast aluminium, induction ready",
        ),
        (
            "makes the first coffee of the day worth getting up for",
            "pours without a drip",
            "goes from stove to table",
            "stacks, which is rarer than it should be",
        ),
        42.0,
    ),
    "Audio": Kind(
        ("speaker", "turntable", "radio", "headphones"),
        (
            "Birch cabinet with a paper cone",
            "Machined aluminium, felt mat included",
            "Bluetooth and a real dial",
            "Vegan leather and memory foam",
        ),
        (
            "fills a kitchen without shouting",
            "plays records the way they were cut",
            "lasts twenty hours on one charge",
            "sounds larger than it looks",
        ),
        229.0,
    ),
    "Plants": Kind(
        ("snake plant", "rubber plant", "pilea", "cactus"),
        (
            "In a terracotta pot with a saucer",
            "Grown in peat-free soil",
            "Comes in a glazed pot",
            "Potted and rooted for a full season",
        ),
        (
            "forgives a forgotten week",
            "grows towards whatever light there is",
            "cleans the air and asks for little",
            "needs water once a month",
        ),
        34.0,
    ),
    "Stationery": Kind(
        ("notebook", "journal set", "sketchbook", "desk set"),
        (
            "Thread-bound, lies flat",
            "120 g paper that takes ink",
            "Cloth cover with a ribbon",
            "Dotted pages, numbered by hand",
        ),
        (
            "keeps a year of good intentions",
            "is made for margins and second thoughts",
            "fits a coat pocket, just",
            "survives a rucksack",
        ),
        24.0,
    ),
    "Bags": Kind(
        ("tote", "backpack", "weekender"),
        (
            "Waxed canvas with brass fittings",
            "Recycled sailcloth",
            "Vegetable-tanned leather straps",
            "Water-repellent twill, taped seams",
        ),
        (
            "carries a laptop and a market's worth of fruit",
            "is cabin size, measured honestly",
            "stands up by itself",
            "has a pocket exactly where you reach for it",
        ),
        98.0,
    ),
    "Clocks": Kind(
        ("wall clock", "station clock", "kitchen clock"),
        (
            "Silent sweep movement",
            "Domed glass in a steel case",
            "Quartz movement, five-year battery",
            "Turned wood rim",
        ),
        (
            "can be read from across the room",
            "does not tick, which bedrooms notice",
            "keeps time and keeps quiet",
            "hangs from a single screw",
        ),
        74.0,
    ),
    "Outdoor": Kind(
        ("tent", "lantern", "flask"),
        (
            "Ripstop fabric, sealed seams",
            "Steel with a baked finish",
            "Double-walled, keeps hot for twelve hours",
            "Rechargeable, with a hook",
        ),
        (
            "goes up in four minutes, in rain too",
            "has seen worse weather than you will",
            "weighs less than its reputation",
            "makes an evening of a bus stop",
        ),
        86.0,
    ),
    "Prints": Kind(
        ("landscape print", "sunrise print", "hills print"),
        (
            "Giclée on cotton paper",
            "Five-colour risograph",
            "Screen print, numbered and signed",
            "Framed in oak behind real glass",
        ),
        (
            "is what the wall was waiting for",
            "looks different in the morning",
            "comes framed, ready to hang",
            "opens a small room",
        ),
        64.0,
    ),
}

STYLES = {
    "nordic": Style(("pale and quiet", "pared-back", "light-footed"), ("stone", "steel", "mint")),
    "mediterranean": Style(
        ("sun-warmed", "relaxed", "coastal"), ("terracotta", "ocean", "mustard")
    ),
    "industrial": Style(
        ("hard-working", "workshop-born", "no-nonsense"), ("steel", "stone", "night")
    ),
    "retro": Style(("seventies-minded", "nostalgic", "rounded"), ("mustard", "coral", "teal")),
    "japandi": Style(("calm", "low and balanced", "unhurried"), ("sage", "olive", "stone")),
    "bohemian": Style(("well-travelled", "layered", "free-spirited"), ("lilac", "plum", "blush")),
    "modern": Style(("crisp", "graphic", "bold"), ("coral", "ocean", "night")),
    "rustic": Style(("farmhouse", "weathered", "hearty"), ("olive", "forest", "terracotta")),
}

MAKERS = (
    "Halden",
    "Alva",
    "Norrvik",
    "Solbacka",
    "Maro",
    "Tessel",
    "Ondine",
    "Kiruna",
    "Lumen",
    "Arbor",
    "Fjord & Sons",
    "Casa Lira",
    "Petra",
    "Mistral",
    "Okada",
    "Hana",
    "Wilder",
    "Bramble",
    "Foundry 9",
    "Copperline",
    "Velo",
    "Juno",
    "Marlow",
    "Saga",
    "Tilde",
    "Otto Bloom",
    "Perla",
    "Noor",
    "Sable",
    "Quill",
    "Ember & Oak",
    "Lark",
    "Pomelo",
    "Umbra",
    "Vesper",
    "Indra",
)
