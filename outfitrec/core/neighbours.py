"""Similar items: for each item of the training split, those of the same category that look most like it."""

from collections.abc import Callable, Sequence

import attrs
from jaxtyping import Int
from torch import Tensor

from outfitrec.core.errors import DataError

# In the first column of a row: the item is not in the table.
ABSENT = -2


@attrs.define(eq=False)
class Neighbours:
    """The neighbour table of a run, made when it is first asked for.

    Attributes:
        names: Name of each item of the catalogue.
        find: Makes the table of a number of neighbours (see `table`); None until the items are encoded.
    """

    names: Sequence[str]
    find: Callable[[int], Int[Tensor, "item neighbour"]] | None = None

    def table(self, count: int) -> Int[Tensor, "item neighbour"]:
        """Catalogue index of the ``count`` most similar items of each item, the nearest first.

        Neighbours are items of the training split, of the item's category, and never the item itself; -1 where there
        are fewer. The row of an item that is not in the training split is `ABSENT` throughout. On the CPU.

        Raises:
            DataError: The items are not encoded yet.
        """
        if self.find is None:
            raise DataError("similar items are asked for, and the recipe has no neighbours", hint="set 'neighbours'")
        return self.find(count)
