"""All the measurements, one after another, each table written as its rows come."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from tests.benchmarks.serving import bulk, inside, single
from tests.benchmarks.serving.bulk import FORMS
from tests.benchmarks.serving.contenders import Contender, bare, floor, ours, peers, tutorial
from tests.benchmarks.serving.load import LoadError
from tests.benchmarks.serving.machine import apart
from tests.benchmarks.serving.models import Trained, registry_of, train_log, train_table
from tests.benchmarks.serving.process import Server, serving
from tests.benchmarks.serving.sample import Row, customers, histories
from tests.benchmarks.serving.servers.network import reference
from tests.benchmarks.serving.single import CHECKED, Asked, Single
from tests.benchmarks.serving.soak import soak
from tests.benchmarks.serving.tables import (
    BULK_HEAD,
    INSIDE_HEAD,
    LOG_HEAD,
    SINGLE_HEAD,
    bulk_row,
    ceiling,
    heading,
    inside_row,
    left_out,
    log_row,
    single_row,
)

T = TypeVar("T")

BODIES: Final = 64  # different ones, in turn
LOG_HEADS: Final = ("mlp", "rnn")


@dataclass(frozen=True)
class Sizes:
    """How much of everything.

    Attributes:
        table, log: customers that each model is trained on.
        bulk: rows of a table in one request, ascending.
        histories: customers with a history in one request.
        inside: rows that are scored at once without a server.
    """

    table: int = 6_600
    log: int = 1_200
    bulk: tuple[int, ...] = (1_000, 10_000)
    histories: tuple[int, ...] = (1, 64, 1_000)
    inside: tuple[int, ...] = (1, 64, 10_000)


@dataclass(frozen=True)
class Bench:
    """What all measurements need.

    Attributes:
        folder: for models and keys.
        core: of the servers, and of what runs in a process of its own.
        seconds: of load, for each figure.
        write: takes a line of Markdown.
    """

    folder: Path
    core: int
    seconds: float
    sizes: Sizes
    write: Callable[[str], object]

    def apart(self, work: Callable[[], T]) -> T:
        """Do it in a process of its own on the servers' core."""
        return apart(self.core, work)

    def service(self, label: str, model: Trained) -> Contender:
        """Ours, asked about one model of the registry."""
        return ours(label, model.name, registry_of(self.folder), self.folder / "keys.json")

    def answers(self, model: Trained, rows: Sequence[Row]) -> list[float]:
        """What a model says without a server."""
        return self.apart(partial(inside.answers, registry_of(self.folder), model.name, rows))


def run(bench: Bench, n_soak: int) -> None:
    """Train the models, then every table; last the soak, if it has requests."""
    sizes, folder = bench.sizes, bench.folder
    table = bench.apart(partial(train_table, folder, "table", sizes.table))
    logs = [bench.apart(partial(train_log, folder, f"log-{h}", sizes.log, h)) for h in LOG_HEADS]
    for model in (table, *logs):
        bench.write(f"- {model.name}: {model.about}")
    _singles(bench, table)
    _bulks(bench, table)
    _insides(bench, table)
    _logs(bench, logs)
    if n_soak:
        told = soak(bench.service("ours", table), customers(BODIES), n_soak, core=bench.core)
        bench.write(f"\n{told.sentence()}")


def _singles(bench: Bench, model: Trained) -> None:
    """Floor, limit and ours in turn; then the others."""
    rows = customers(BODIES)
    first = rows[:CHECKED]
    service = bench.service("ours", model)
    floor_is, limit, ours_is = _measured(
        bench, rows, [Asked(floor()), Asked(bare()), Asked(service, bench.answers(model, first))]
    )
    bench.write(heading(SINGLE_HEAD))
    for contender, figures in ((floor(), floor_is), (bare(), limit), (service, ours_is)):
        bench.write(single_row(contender.name, figures, floor_is))
    wanted = bench.apart(partial(reference, first))
    for contender in (tutorial(), *peers()):
        try:
            _show(bench, rows, floor_is, Asked(contender, wanted))
        except LoadError as error:
            bench.write(left_out(SINGLE_HEAD, contender.name, f"left out: {_line(error)}"))
    bench.write(ceiling(limit))


def _show(bench: Bench, rows: Sequence[Row], floor_is: Single, asked: Asked) -> None:
    name = asked.contender.name
    if asked.contender.command is None:
        bench.write(left_out(SINGLE_HEAD, name, "not installed"))
    else:
        (figures,) = _measured(bench, rows, [asked])
        bench.write(single_row(name, figures, floor_is))


def _measured(bench: Bench, rows: Sequence[Row], asked: Sequence[Asked]) -> list[Single]:
    return single.measure(asked, rows, seconds=bench.seconds, core=bench.core)


def _bulks(bench: Bench, model: Trained) -> None:
    rows, counts = customers(bench.sizes.bulk[-1]), bench.sizes.bulk
    service, wanted = bench.service("ours", model), bench.answers(model, rows)
    bench.write(heading(BULK_HEAD))
    with _running(bench, floor(), rows) as beside, _running(bench, service, rows) as server:
        for form in FORMS:
            for n in counts:
                posts = bulk.floor_post(rows[:n]), form.post(service, rows[:n])
                try:
                    bulk.check(server, form, posts[1], wanted[:n])
                    asked = list(zip((beside, server), posts, strict=True))
                    floor_is, ours_is = bulk.measure_in_turn(asked, n, seconds=bench.seconds)
                except LoadError as error:
                    bench.write(left_out(BULK_HEAD, f"ours: {form.name}", _line(error)))
                    continue
                bench.write(bulk_row(f"ours: {form.name}", ours_is, floor_is))


def _insides(bench: Bench, model: Trained) -> None:
    rows = customers(bench.sizes.inside[-1])
    bench.write(heading(INSIDE_HEAD))
    for figures in _inside(bench, model, rows, bench.sizes.inside):
        bench.write(inside_row(model.name, figures))


def _inside(bench: Bench, model: Trained, rows: Sequence[Row], counts: Sequence[int]) -> list[inside.Inside]:
    registry = registry_of(bench.folder)
    return bench.apart(partial(inside.times, registry, model.name, rows, counts, seconds=bench.seconds / 4))


def _logs(bench: Bench, models: Sequence[Trained]) -> None:
    counts = bench.sizes.histories
    rows, form = histories(counts[-1]), FORMS[0]
    bench.write(heading(LOG_HEAD))
    for model in models:
        service, wanted = bench.service("ours", model), bench.answers(model, rows)
        alone = _inside(bench, model, rows, counts)
        with _running(bench, service, rows) as server:
            for n, inner in zip(counts, alone, strict=True):
                post = form.post(service, rows[:n])
                bulk.check(server, form, post, wanted[:n])
                figures = bulk.measure(server, post, n, seconds=bench.seconds)
                bench.write(log_row(model.name, figures, inner))


def _running(bench: Bench, contender: Contender, rows: Sequence[Row]) -> AbstractContextManager[Server]:
    assert contender.command is not None
    return serving(contender.command, contender.environment, contender.post(rows[0]), core=bench.core)


def _line(error: LoadError) -> str:
    """An error in a cell of a table."""
    return str(error).replace("|", "/").replace("\n", " ")[:200]
