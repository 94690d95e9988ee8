"""The attention block of the Set Transformer, with its published variants."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F


class AttentionBlock(nn.Module):
    """Multihead attention and a row-wise feed-forward layer, each with a residual and layer normalisation.

    With ``query is key`` this is the set attention block (Eq. 4–5 of Kim et al. 2021), with a learned seed as query the
    pooling (Eq. 7–8).

    Args:
        dim: Size of the embeddings.
        heads: Number of attention heads; divides ``dim``.
        residual: What attention is added to: the ``raw`` query (Kim et al.), or the ``projected`` one (Lee et al.).
        scale: Dot products are divided by the root of the size of a ``head`` or of ``dim``.
        output: Whether the heads are mixed by a matrix W^M (Eq. 3).
        norm: Whether there are layer normalisations.
    """

    def __init__(self, dim: int, heads: int, residual: str, scale: str, output: bool, norm: bool) -> None:
        super().__init__()
        self.heads = heads
        self.projected = residual == "projected"
        self.scale = (dim // heads if scale == "head" else dim) ** -0.5
        # W^Q, W^K and W^V in one matrix: one product where the query is the key.
        self.project = nn.Linear(dim, 3 * dim)
        self.output = nn.Linear(dim, dim) if output else nn.Identity()
        self.norm_attention = nn.LayerNorm(dim) if norm else nn.Identity()
        self.feed_forward = nn.Linear(dim, dim)
        self.norm_output = nn.LayerNorm(dim) if norm else nn.Identity()

    def forward(
        self,
        query: Float[Tensor, "outfit q dim"],
        key: Float[Tensor, "outfit k dim"],
        mask: Bool[Tensor, "outfit k"] | None = None,
    ) -> Float[Tensor, "outfit q dim"]:
        """Attend from ``query`` to the entries of ``key`` whose mask is True (all of them without a mask)."""
        dim = query.shape[-1]
        if query is key:
            q, k, v = self.project(query).split(dim, dim=-1)
        else:
            weight, bias = self.project.weight, self.project.bias
            q = F.linear(query, weight[:dim], bias[:dim])
            k, v = F.linear(key, weight[dim:], bias[dim:]).split(dim, dim=-1)
        q_heads, k_heads, v_heads = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (q, k, v))
        logits = (q_heads @ k_heads.transpose(-1, -2)) * self.scale
        if mask is not None:
            logits = logits.masked_fill(~mask[:, None, None, :], -torch.inf)
        attended = (logits.softmax(dim=-1) @ v_heads).transpose(1, 2).flatten(2)
        hidden = self.norm_attention((q if self.projected else query) + self.output(attended))
        out: Tensor = self.norm_output(hidden + F.relu(self.feed_forward(hidden)))
        return out
