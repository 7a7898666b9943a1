"""What the cnn and rnn heads share: steps embedded, encoded, and joined with the columns."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from model.batch import Batch
from model.embeddings import CategoryEmbedding, ColumnTokens
from model.heads.cnn import ConvEncoder
from model.heads.rnn import GruEncoder
from model.trunk import Trunk, average_members

Encoder = ConvEncoder | GruEncoder


class StepEmbedding(nn.Module):
    """Numbers (with a missing mark each) and categories of a step into one vector.

    Shape: (T, S) float32, (T, C) int64 -> (T, width).
    """

    def __init__(self, n_numbers: int, sizes: Sequence[int], *, embedding: int, width: int) -> None:
        super().__init__()
        self.categories = CategoryEmbedding(sizes, width=embedding)
        self.mix = nn.Linear(2 * n_numbers + len(sizes) * embedding, width)

    def forward(self, steps: Tensor, codes: Tensor) -> Tensor:
        missing = steps.isnan()
        parts = [steps.masked_fill(missing, 0.0), missing.float(), self.categories(codes).flatten(1)]
        return torch.relu(self.mix(torch.cat(parts, dim=1)))


class SequenceHead(nn.Module):
    """Steps through an encoder, beside the columns, through an ensemble trunk.

    Shape: Batch -> (B, K) logits.
    """

    def __init__(self, tokens: ColumnTokens, steps: StepEmbedding, encoder: Encoder, trunk: Trunk) -> None:
        super().__init__()
        self.tokens = tokens
        self.steps = steps
        self.encoder = encoder
        self.trunk = trunk

    def members(self, batch: Batch) -> Tensor:
        """(B, M, K) logits of each ensemble member."""
        # Only the real steps, one sequence after another: most rows are far shorter than the longest.
        real = torch.arange(batch.steps.shape[1], device=batch.lengths.device) < batch.lengths[:, None]
        steps = self.steps(batch.steps[real], batch.step_categories[real])
        encoded = self.encoder(steps, batch.lengths)
        logits: Tensor = self.trunk(torch.cat([self.tokens(batch).flatten(1), encoded], dim=1))
        return logits

    def forward(self, batch: Batch) -> Tensor:
        return average_members(self.members(batch))


class TokenHead(nn.Module):
    """Columns as a sequence of tokens through an encoder: for a table that has no sequence.

    Shape: Batch -> (B, K) logits.
    """

    def __init__(self, tokens: ColumnTokens, encoder: Encoder, trunk: Trunk) -> None:
        super().__init__()
        self.tokens = tokens
        self.encoder = encoder
        self.trunk = trunk

    def members(self, batch: Batch) -> Tensor:
        """(B, M, K) logits of each ensemble member."""
        tokens = self.tokens(batch)
        lengths = torch.full((len(batch),), tokens.shape[1], device=tokens.device)
        encoded = self.encoder(tokens.flatten(0, 1), lengths)
        logits: Tensor = self.trunk(torch.cat([tokens.flatten(1), encoded], dim=1))
        return logits

    def forward(self, batch: Batch) -> Tensor:
        return average_members(self.members(batch))
