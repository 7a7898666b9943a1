"""From a description to a network: the only place where a head's name becomes a class."""

from model.embeddings import ColumnTokens
from model.heads.cnn import ConvEncoder
from model.heads.mlp import MlpHead
from model.heads.rnn import GruEncoder
from model.heads.sequence import Encoder, SequenceHead, StepEmbedding, TokenHead
from model.manifest import HeadName, NetworkSpec
from model.schema import Schema
from model.sequence import n_step_numbers
from model.trunk import Trunk

Head = MlpHead | SequenceHead | TokenHead


def build_network(spec: NetworkSpec, schema: Schema, *, n_outputs: int) -> Head:
    """A network with fresh weights that reads what `schema` describes and gives (B, K) logits."""
    tokens = _column_tokens(schema, width=spec.embedding)
    width_in = tokens.n_tokens * spec.embedding
    if spec.head == "mlp":
        return MlpHead(tokens, _trunk(spec, width_in, n_outputs))
    steps = _step_embedding(schema, spec)
    encoder = _encoder(spec.head, spec.embedding if steps is None else spec.width // 4, width=spec.width // 4)
    trunk = _trunk(spec, width_in + encoder.width, n_outputs)
    return TokenHead(tokens, encoder, trunk) if steps is None else SequenceHead(tokens, steps, encoder, trunk)


def _column_tokens(schema: Schema, *, width: int) -> ColumnTokens:
    edges = [c.scaling.edges for c in schema.numeric]
    sizes = [len(c.vocabulary) + 2 for c in schema.categorical]
    if schema.events:
        edges += [f.scaling.edges for f in schema.events.features]
        sizes += [len(c.vocabulary) + 2 for c in schema.events.categories]
    return ColumnTokens(edges, sizes, width=width)


def _step_embedding(schema: Schema, spec: NetworkSpec) -> StepEmbedding | None:
    if schema.events:
        sizes = [len(c.vocabulary) + 2 for c in schema.events.categories]
        n_numbers = n_step_numbers(schema.events)
    elif schema.series:
        sizes, n_numbers = [], len(schema.series)
    else:
        return None
    return StepEmbedding(n_numbers, sizes, embedding=spec.embedding, width=spec.width // 4)


def _encoder(head: HeadName, width_in: int, *, width: int) -> Encoder:
    return GruEncoder(width_in, width=width) if head == "rnn" else ConvEncoder(width_in, channels=width)


def _trunk(spec: NetworkSpec, width_in: int, n_outputs: int) -> Trunk:
    return Trunk(
        width_in,
        width=spec.width,
        layers=spec.layers,
        dropout=spec.dropout,
        members=spec.members,
        n_outputs=n_outputs,
    )
