"""From the variables of the original, which is in TensorFlow, to a recommender."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from outfitrec import DataError, Recommender, create
from outfitrec_baselines.bi_lstm.aggregator import BiLSTM

HEAD = "rnn_image_embedding/weights"
# Of each direction: the scope of the LSTM's cell and that of the linear layer.
SCOPES = (("lstm/FW/BasicLSTMCell/Linear", "f_logits"), ("lstm/BW/BasicLSTMCell/Linear", "b_logits"))
# Later versions of TensorFlow call the variables of the cell so.
LATER = {"basic_lstm_cell/kernel": "BasicLSTMCell/Linear/Matrix", "basic_lstm_cell/bias": "BasicLSTMCell/Linear/Bias"}
# What a checkpoint holds besides, by how it begins: the CNN, whose features are given here; the visual-semantic space
# of images and words, which scores no outfit; and the state of the training.
UNUSED = ("InceptionV3/", "image_embedding/", "seq_embedding/", "OptimizeLoss/", "global_step")


def from_original(
    variables: Mapping[str, Tensor | NDArray[Any]],
    *,
    categories: Sequence[str] = ("item",),
    order: Sequence[str] = (),
) -> Recommender:
    """The recommender of a trained Bi-LSTM, in eval mode and of the variables' precision.

    It takes the 2,048 features of the original's Inception-v3, which itself is not converted; without the variable
    ``rnn_image_embedding/weights``, it takes item embeddings. Its scores need candidates: the original's are the items
    of the whole test split.

    Args:
        variables: The checkpoint's variables by name.
        categories: Names of the categories. The original takes items as they come, and so does one category alone.
        order: The categories in the order of the sequence; by default, as in ``categories``.

    Raises:
        DataError: Variables are unknown, missing, or of a wrong shape; all of these.

    Reference:
        Han et al. 2017; the names are those of their code for TensorFlow 0.10.
    """
    found = {_renamed(name): torch.as_tensor(value) for name, value in variables.items()}
    found = {name: tensor for name, tensor in found.items() if not name.startswith(UNUSED)}
    shapes = _checked(found)
    hidden, dim = shapes["f_logits/weights"]
    features = shapes[HEAD][0] if HEAD in found else dim
    head = create("head", "linear", bias=False, dim=dim) if HEAD in found else create("head", "identity", dim=dim)
    encoder = create("encoder", "features", size=features, norm=False, head=head)
    aggregator = BiLSTM(order=tuple(order), hidden=hidden, dim=dim, categories=tuple(categories))
    recommender = Recommender(encoder, aggregator, create("preference", "compatibility"))
    recommender.to(found["f_logits/weights"].dtype)
    with torch.no_grad():
        if HEAD in found:
            encoder.layers[0].weight.copy_(found[HEAD].T)
        for predictor, (cell, output) in zip((aggregator.ahead, aggregator.back), SCOPES, strict=True):
            _fill(predictor.lstm, found[f"{cell}/Matrix"].T, found[f"{cell}/Bias"])
            predictor.output.weight.copy_(found[f"{output}/weights"].T)
            predictor.output.bias.copy_(found[f"{output}/biases"])
    return recommender.eval()


def _renamed(name: str) -> str:
    name = name.removesuffix(":0")
    for later, first in LATER.items():
        name = name.replace(later, first)
    return name


def _checked(found: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """The shape of each variable, after a check of all of them."""
    names = {f"{cell}/{name}" for cell, _ in SCOPES for name in ("Matrix", "Bias")}
    names |= {f"{output}/{name}" for _, output in SCOPES for name in ("weights", "biases")}
    wrong = [f"{name} is unknown" for name in found if name not in {*names, HEAD}]
    wrong += [f"{name} is missing" for name in sorted(names) if name not in found]
    shapes: dict[str, tuple[int, ...]] = {}
    if names <= found.keys():
        (cell, output), _ = SCOPES
        hidden, dim = found[f"{cell}/Bias"].numel() // 4, found[f"{output}/biases"].numel()
        for cell, output in SCOPES:
            shapes |= {f"{cell}/Matrix": (dim + hidden, 4 * hidden), f"{cell}/Bias": (4 * hidden,)}
            shapes |= {f"{output}/weights": (hidden, dim), f"{output}/biases": (dim,)}
        if HEAD in found:
            shapes[HEAD] = (found[HEAD].numel() // max(dim, 1), dim)
    wrong += [
        f"{name} is of shape {list(found[name].shape)}, not {list(shape)}"
        for name, shape in shapes.items()
        if tuple(found[name].shape) != shape
    ]
    if wrong:
        raise DataError(f"these are not the variables of a Bi-LSTM: {'; '.join(wrong)}")
    return shapes


def _fill(lstm: nn.LSTM, matrix: Tensor, bias: Tensor) -> None:
    """Weights of the original's LSTM: rows are the gates input, new, forget and output, columns ``[x, h]``."""
    # It adds 1 to the forget gate on the fly.
    rows = [torch.cat(parts, dim=1) for parts in zip(matrix.chunk(4), bias[:, None].chunk(4), strict=True)]
    rows[2][:, -1] += 1
    sorted_rows = torch.cat([rows[0], rows[2], rows[1], rows[3]])
    weight, recurrent, first, second = lstm.all_weights[0]
    weight.copy_(sorted_rows[:, : lstm.input_size])
    recurrent.copy_(sorted_rows[:, lstm.input_size : -1])
    first.copy_(sorted_rows[:, -1])
    second.zero_()
