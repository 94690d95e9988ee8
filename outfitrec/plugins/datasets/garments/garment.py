"""A garment as numbers."""

import attrs

from outfitrec.plugins.datasets.garments.fabric import Fabric


@attrs.frozen
class Garment:
    """What is to be drawn. All numbers are 0 to 1 and continuous; what they change depends on the kind.

    Attributes:
        kind: Its kind: ``tee``, ``jeans``, ``sneaker`` and so on.
        fabric: Its material.
        trim: Material of soles, ribs, linings, prints.
        length: Length of body, leg or shaft.
        fit: From tight to loose; of a shoe, from fine to chunky.
        flare: How much it widens to its end; of a shoe, height of the heel.
        sleeve: Length of sleeves.
        neck: Depth of the neckline or opening.
        detail: Chooses among pockets, prints, pleats, buttons.
        tilt: How it lies.
    """

    kind: str
    fabric: Fabric
    trim: Fabric
    length: float
    fit: float
    flare: float
    sleeve: float
    neck: float
    detail: float
    tilt: float
