"""A preference without a space that users and outfits share."""

from torch import Tensor, nn

from outfitrec import component, given
from outfitrec.hooks import Register, hookimpl


@component
class Dot(nn.Module):
    dim: int = given("size of an outfit embedding")
    users: int = given("number of users")

    def __attrs_post_init__(self) -> None:
        self.user = nn.Embedding(self.users, self.dim)

    def forward(self, users: Tensor, state: Tensor) -> Tensor:
        embedding: Tensor = self.user(users)
        return (embedding * state).sum(dim=-1)


@hookimpl
def outfitrec_register(register: Register) -> None:
    register.component("preference", "dot", ":Dot", "inner product")
