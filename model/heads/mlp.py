"""The mlp head: table columns and history aggregates."""

from torch import Tensor, nn

from model.batch import Batch
from model.embeddings import ColumnTokens
from model.trunk import Trunk, average_members


class MlpHead(nn.Module):
    """Columns through an ensemble trunk.

    Shape: Batch -> (B, K) logits.
    """

    def __init__(self, tokens: ColumnTokens, trunk: Trunk) -> None:
        super().__init__()
        self.tokens = tokens
        self.trunk = trunk

    def members(self, batch: Batch) -> Tensor:
        """(B, M, K) logits of each ensemble member."""
        logits: Tensor = self.trunk(self.tokens(batch).flatten(1))
        return logits

    def forward(self, batch: Batch) -> Tensor:
        return average_members(self.members(batch))
