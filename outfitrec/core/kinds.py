"""The kinds of component, in one table. Protocols are named by string: reading the table imports no torch."""

import attrs


@attrs.frozen
class Kind:
    """A kind of component.

    Attributes:
        name: What recipes and commands call it.
        summary: What a component of this kind does, in one line.
    """

    name: str
    summary: str

    @property
    def protocol(self) -> str:
        """The protocol that its components satisfy, as ``module:Class``."""
        return f"outfitrec.protocols:{''.join(word.title() for word in self.name.split('_'))}"


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("encoder", "photos (or given features) → item embeddings"),
        Kind("head", "an encoder's features → item embeddings: its trainable half"),
        Kind("aggregator", "the items of an outfit → the outfit's state"),
        Kind("preference", "user × outfit state → score"),
        Kind("loss", "ranking loss of positive and negative scores"),
        Kind("distiller", "weights of the ranking loss by what the teacher says"),
        Kind("contrast", "contrastive loss of two embedding matrices"),
        Kind("objective", "a term of the training objective"),
        Kind("augmenter", "an outfit → an altered view of it"),
        Kind("cold_start", "serves a user known by a few liked outfits, without training"),
        Kind("negatives", "the unobserved outfits of a training step or of an evaluation"),
        Kind("dataset", "catalogue, users, outfits and splits"),
        Kind("metric", "per-user value of a ranking"),
        Kind("optimizer", "updates the parameters"),
        Kind("schedule", "the learning rate over the run"),
        Kind("logger", "shows elsewhere how a training goes"),
    )
}
