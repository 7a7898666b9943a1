"""The network, and its construction from the name of a head."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from model.features.sequence import n_step_numbers
from model.network.batch import Batch
from model.network.cnn import ConvEncoder
from model.network.embeddings import ColumnTokens
from model.network.layout import Layout
from model.network.rnn import GruEncoder
from model.network.steps import Encoder, StepEmbedding, StepReader, TokenReader
from model.network.trunk import Trunk, average
from model.schema import Schema
from model.store.manifest import HeadName, NetworkSpec


class Network(nn.Module):
    """F networks of one shape, each fitted without a fold of its own; their mean probability is the output.

    Columns are embedded as tokens. The cnn and rnn heads encode a sequence too. A trunk reads both.

    Shape: Batch -> (B, K) logits.

    Args:
        readers: F modules that read the sequence; none for the mlp head.
    """

    def __init__(
        self, tokens: ColumnTokens, readers: Sequence[StepReader | TokenReader], trunk: Trunk
    ) -> None:
        super().__init__()
        self.tokens = tokens
        self.readers = nn.ModuleList(readers)
        self.trunk = trunk

    @property
    def n_folds(self) -> int:
        """F."""
        return len(self.trunk.weight)

    def members(self, batch: Batch) -> Tensor:
        """(F, M, B, K) logits of each ensemble member of each fold.

        Args:
            batch: of F * B rows: B rows for each fold, one fold after another.
        """
        rows = (self.n_folds, len(batch) // self.n_folds)
        tokens = self.tokens(batch.numeric.unflatten(0, rows), batch.categories.unflatten(0, rows))
        return self._logits(tokens, batch.split(rows[1]) if self._reads_steps else ())

    def folds(self, batch: Batch) -> Tensor:
        """(F, M, B, K) logits of each ensemble member of each fold, all for the same B rows."""
        F = self.n_folds
        tokens = self.tokens(batch.numeric.expand(F, -1, -1), batch.categories.expand(F, -1, -1))
        return self._logits(tokens, [batch] * F if self._reads_steps else ())

    def forward(self, batch: Batch) -> Tensor:
        return average(self.folds(batch).flatten(0, 1))

    @property
    def _reads_steps(self) -> bool:
        return len(self.readers) > 0 and isinstance(self.readers[0], StepReader)

    def _logits(self, tokens: Tensor, batches: Sequence[Batch]) -> Tensor:
        read = [tokens.flatten(2)]
        if self.readers:
            inputs = batches or tokens
            read.append(torch.stack([reader(one) for reader, one in zip(self.readers, inputs, strict=True)]))
        logits: Tensor = self.trunk(torch.cat(read, dim=2))
        return logits


def build_network(spec: NetworkSpec, schema: Schema, *, n_outputs: int) -> Network:
    """Return a network of an mlp, cnn or rnn head with initial weights, for the inputs of `schema`."""
    tokens = ColumnTokens(Layout.of(schema, piecewise=spec.piecewise), folds=spec.folds, width=spec.embedding)
    readers = [] if spec.head == "mlp" else [_reader(spec, schema) for _ in range(spec.folds)]
    trunk = Trunk(
        tokens.n_tokens * spec.embedding + (readers[0].encoder.width if readers else 0),
        width=spec.width,
        layers=spec.layers,
        dropout=spec.dropout,
        folds=spec.folds,
        members=spec.members,
        n_outputs=n_outputs,
    )
    return Network(tokens, readers, trunk)


def _reader(spec: NetworkSpec, schema: Schema) -> StepReader | TokenReader:
    width = spec.width // 4
    if schema.events:
        sizes = [len(c.vocabulary) + 2 for c in schema.events.categories]
        n_numbers = n_step_numbers(schema.events)
    elif schema.series:
        sizes, n_numbers = [], len(schema.series)
    else:
        return TokenReader(_encoder(spec.head, spec.embedding, width=width))
    steps = StepEmbedding(n_numbers, sizes, embedding=spec.embedding, width=width)
    return StepReader(steps, _encoder(spec.head, width, width=width))


def _encoder(head: HeadName, width_in: int, *, width: int) -> Encoder:
    return GruEncoder(width_in, width=width) if head == "rnn" else ConvEncoder(width_in, channels=width)
