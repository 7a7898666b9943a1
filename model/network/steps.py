"""The readers of the cnn and rnn heads: steps or tokens, embedded and encoded."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from model.network.batch import Batch
from model.network.cnn import ConvEncoder
from model.network.embeddings import CategoryEmbedding
from model.network.rnn import GruEncoder

Encoder = ConvEncoder | GruEncoder


class StepEmbedding(nn.Module):
    """One vector of a step's numbers, each with a missing flag, and categories.

    Shape: (T, S) float32, (T, C) int64 -> (T, width).
    """

    def __init__(self, n_numbers: int, sizes: Sequence[int], *, embedding: int, width: int) -> None:
        super().__init__()
        self.categories = CategoryEmbedding(sizes, folds=1, width=embedding)
        self.mix = nn.Linear(2 * n_numbers + len(sizes) * embedding, width)

    def forward(self, steps: Tensor, codes: Tensor) -> Tensor:
        missing = steps.isnan()
        categories = self.categories(codes[None])[0].flatten(1)
        return torch.relu(
            self.mix(torch.cat([steps.masked_fill(missing, 0.0), missing.float(), categories], 1))
        )


class StepReader(nn.Module):
    """The sequence of each row as one vector.

    Shape: Batch -> (B, encoder.width).
    """

    def __init__(self, embedding: StepEmbedding, encoder: Encoder) -> None:
        super().__init__()
        self.embedding = embedding
        self.encoder = encoder

    def forward(self, batch: Batch) -> Tensor:
        # Without the padding, one sequence after another: most rows are far shorter than the longest.
        real = torch.arange(batch.steps.shape[1], device=batch.lengths.device) < batch.lengths[:, None]
        steps = self.embedding(batch.steps[real], batch.step_categories[real])
        encoded: Tensor = self.encoder(steps, batch.lengths)
        return encoded


class TokenReader(nn.Module):
    """The column tokens of each row as one vector, for a table without a sequence.

    Shape: (B, n, width) -> (B, encoder.width).
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, tokens: Tensor) -> Tensor:
        lengths = torch.full((len(tokens),), tokens.shape[1], device=tokens.device)
        encoded: Tensor = self.encoder(tokens.flatten(0, 1), lengths)
        return encoded
