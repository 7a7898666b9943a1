"""A network is built of a description and a schema, the same one each time."""

from dataclasses import replace
from itertools import combinations, product
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from model.network.cnn import ConvEncoder
from model.network.network import build_network
from model.network.rnn import GruEncoder
from model.network.steps import StepReader, TokenReader
from model.schema import CategoricalColumn, NumericColumn, Rates, Schema
from model.store.manifest import HeadName, NetworkSpec
from tests.model.build import tiny_scaling
from tests.model.networks import FOLDS, HEADS, LOG, SCHEMAS, TABLE, random_network, some_batch, spec

_PLAN = CategoricalColumn(name="plan", vocabulary=("basic", "plus"))


def test_the_head_is_chosen_by_its_name_and_by_what_there_is_to_read() -> None:
    encoders = {"cnn": ConvEncoder, "rnn": GruEncoder}
    kinds = {"table": TokenReader, "series": StepReader, "log": StepReader}
    for head, kind in product(HEADS, SCHEMAS):
        network = build_network(spec(head), SCHEMAS[kind], n_outputs=1)
        wanted = [] if head == "mlp" else [(kinds[kind], encoders[head])] * FOLDS
        assert [(type(reader), type(reader.encoder)) for reader in network.readers] == wanted
        assert network.n_folds == FOLDS


def test_the_mlp_head_reads_no_steps() -> None:
    network, batch = random_network("mlp", "log"), some_batch("log")
    other = replace(batch, steps=batch.steps + 1, step_categories=1 - batch.step_categories.clamp(max=1))
    assert torch.equal(network(other), network(batch))
    assert torch.equal(network(some_batch("log", with_steps=False)), network(batch))


def test_the_trunk_reads_every_token() -> None:
    network, batch = random_network("mlp", "log"), some_batch("log")
    tokens = network.tokens(batch.numeric.expand(FOLDS, -1, -1), batch.categories.expand(FOLDS, -1, -1))
    assert tokens.shape == (FOLDS, 12, 6 + 3, 4)  # five numbers, a rate; the plan, the last type and shop
    logits = network.folds(batch)
    assert torch.equal(logits, network.trunk(tokens.flatten(2)))
    for position in range(tokens.shape[2]):
        changed = tokens.clone()
        changed[:, :, position] += 1
        differs = (network.trunk(changed.flatten(2)) - logits).abs().amax(dim=(1, 2, 3)) > 1e-3
        assert differs.all(), position


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_smallest_network_works(head: HeadName, kind: str) -> None:
    least = NetworkSpec(
        head=head, width=4, layers=1, dropout=0, embedding=1, folds=2, members=1, piecewise=True
    )
    network = build_network(least, SCHEMAS[kind], n_outputs=1)
    assert network(some_batch(kind, 3)).shape == (3, 1)


@pytest.mark.parametrize("head", HEADS)
def test_a_seed_makes_the_same_network_and_another_another(head: HeadName) -> None:
    def weights(seed: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(seed)
        return build_network(spec(head), LOG, n_outputs=2).state_dict()

    one, same, other = weights(0), weights(0), weights(1)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("head", HEADS)
def test_what_is_learned_is_all_there_is_to_keep(head: HeadName) -> None:
    network = build_network(spec(head), LOG, n_outputs=2)
    kept = network.state_dict()
    assert {name for name, _ in network.named_parameters()} <= kept.keys()
    assert all(tensor.isfinite().all() for tensor in kept.values())


@pytest.mark.parametrize("head", HEADS)
def test_more_members_cost_less_than_as_many_networks(head: HeadName) -> None:
    sizes = [
        sum(p.numel() for p in build_network(spec(head, members=m), LOG, n_outputs=1).parameters())
        for m in (1, 8)
    ]
    assert sizes[0] < sizes[1] < 3 * sizes[0]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("kind", SCHEMAS)
def test_each_fold_is_a_network_of_its_own(head: HeadName, kind: str) -> None:
    two, five = (
        sum(p.numel() for p in build_network(spec(head, folds=f), SCHEMAS[kind], n_outputs=1).parameters())
        for f in (2, 5)
    )
    assert 2 * five == 5 * two


@pytest.mark.parametrize("head", HEADS)
def test_folds_start_apart(head: HeadName) -> None:
    torch.manual_seed(0)
    network, batch = build_network(spec(head), LOG, n_outputs=1), some_batch("log")
    for first, second in combinations(network.folds(batch), 2):
        assert not torch.allclose(first, second)


def test_the_edges_of_the_schema_are_those_of_the_embedding() -> None:
    schema = Schema(
        id=None,
        columns=(
            CategoricalColumn(name="plan", vocabulary=("a", "b", "c")),
            NumericColumn(name="flat", scaling=tiny_scaling(edges=())),
            NumericColumn(name="tenure", scaling=tiny_scaling(edges=(-2.0, 0.5, 3.0))),
        ),
    )
    tokens = build_network(spec("mlp"), schema, n_outputs=1).tokens
    assert tokens.n_tokens == 3
    torch.testing.assert_close(tokens.numeric.low, torch.tensor([[0, 0], [-2.0, 0.5]]))
    torch.testing.assert_close(tokens.numeric.slopes, torch.tensor([[0, 0], [0.4, 0.4]]))
    assert tokens.categories.weight.shape[:2] == (FOLDS, 5)  # and missing, and unknown


def test_rates_of_categories_are_numbers_beside_them() -> None:
    edges = (-2.0, 0.5, 3.0)
    rates = Rates(log_odds=(0.0, -1.0, 1.0), scaling=tiny_scaling(edges=edges))
    schema = Schema(id=None, columns=(_PLAN, CategoricalColumn(name="code", vocabulary=("a",), rates=rates)))
    tokens = build_network(spec("mlp"), schema, n_outputs=1).tokens
    assert tokens.n_tokens == 2 + 1
    torch.testing.assert_close(tokens.numeric.low, torch.tensor([edges[:2]]))
    plain = build_network(spec("mlp", piecewise=False), schema, n_outputs=1).tokens
    assert plain.n_tokens == 2 + 1
    assert plain.numeric.low.shape == (1, 0)


def test_repeated_numbers_of_the_schema_get_a_table() -> None:
    plain = TABLE.model_copy(update={"columns": (TABLE.columns[0].model_copy(update={"values": ()}),)})
    valued = TABLE.model_copy(update={"columns": (_PLAN, *plain.columns, TABLE.columns[0])})
    first, second = (build_network(spec("mlp"), schema, n_outputs=1).tokens for schema in (plain, valued))
    assert (first.n_tokens, second.n_tokens) == (1, 3)
    assert first.categories.weight.shape[1] == 0
    assert first.valued.tolist() == []
    assert second.categories.weight.shape[1] == (2 + 2) + (3 + 1)  # of the plan, of the second number
    assert second.valued.tolist() == [1]


@pytest.mark.parametrize("columns", [("a", "b"), ()])
def test_a_table_may_hold_numbers_alone_or_categories_alone(columns: tuple[str, ...]) -> None:
    numbers = tuple(NumericColumn(name=n, scaling=tiny_scaling(edges=())) for n in columns)
    plan = () if columns else (CategoricalColumn(name="plan", vocabulary=()),)
    schema = Schema(id=None, columns=(*numbers, *plan))
    for head in HEADS:
        tokens = build_network(spec(head), schema, n_outputs=1).tokens
        assert tokens.n_tokens == (2 if columns else 1)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"head": "transformer"}, "'mlp', 'cnn' or 'rnn'"),
        ({"width": 3}, "greater than or equal to 4"),
        ({"width": 4097}, "less than or equal to 4096"),
        ({"layers": 0}, "greater than 0"),
        ({"dropout": 1.0}, "less than 1"),
        ({"folds": 0}, "greater than or equal to 1"),
        ({"folds": 65}, "less than or equal to 64"),
        ({"members": 0}, "greater than 0"),
        ({"members": 257}, "less than or equal to 256"),
        ({"embedding": 257}, "less than or equal to 256"),
        ({"module": "os"}, "Extra inputs are not permitted"),
    ],
)
def test_only_known_networks_of_sane_sizes_are_described(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError) as error:
        NetworkSpec.model_validate({**spec("mlp").model_dump(), **changes})
    assert error.value.error_count() == 1
    assert fault in str(error.value)
