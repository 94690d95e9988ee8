"""No head: the features are the items' embeddings."""

from outfitrec.core.component import component
from outfitrec.core.errors import RecipeError
from outfitrec.core.fields import given
from outfitrec.plugins.heads.item_encoder import Layers


@component
class Identity:
    """The features as they are, for embeddings that were made elsewhere."""

    dim: int = given("size of an item embedding")

    def build(self, size: int) -> Layers:
        """Nothing.

        Raises:
            RecipeError: The features are not as long as the embeddings.
        """
        if size != self.dim:
            raise RecipeError(
                f"head identity: the features have length {size}, and model.dim is {self.dim}",
                hint=f"set model.dim: {size}, or choose another head",
            )
        return Layers()
