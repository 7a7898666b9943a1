"""The models that tests of training and of scoring share, each trained once a process.

Training is imported once a test wants one: tests of the service do not wait for it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.training.shops import Published

Folders = pytest.TempPathFactory


@pytest.fixture(scope="session")
def real_steps() -> Iterator[int]:
    """The steps in which students learn; they and boosted trees take few once a test has asked for this."""
    from training.audit import dominance
    from training.fit import boosting, distill

    with pytest.MonkeyPatch.context() as patch:
        steps = distill.STEPS
        patch.setattr(distill, "STEPS", steps // 20)
        patch.setattr(boosting, "MAX_ROUNDS", 10)
        patch.setattr(dominance, "ROUNDS", 8)
        yield steps


@pytest.fixture(scope="session")
def table_model(real_steps: int, tmp_path_factory: Folders) -> "Published":  # noqa: ARG001
    """A model of a table, not fitted again: the published network is the measured one."""
    from tests.training.shops import TABLE, publish, table_shop

    return publish(
        table_shop(tmp_path_factory.mktemp("table")), TABLE, "fit.refit=false", "fairness.groups=[contract]"
    )


@pytest.fixture(scope="session")
def log_model(real_steps: int, tmp_path_factory: Folders) -> "Published":  # noqa: ARG001
    """A model of a log with a table beside it."""
    from tests.training.shops import LOG, log_shop, publish

    return publish(log_shop(tmp_path_factory.mktemp("log")), LOG, "fit.refit=false")


@pytest.fixture(scope="session")
def contract_model(real_steps: int, tmp_path_factory: Folders) -> "Published":  # noqa: ARG001
    """A model of contracts alone."""
    from tests.training.shops import CONTRACT, contract_shop, publish

    return publish(contract_shop(tmp_path_factory.mktemp("contract")), CONTRACT, "fit.refit=false")


@pytest.fixture(scope="session")
def contract_log_model(real_steps: int, tmp_path_factory: Folders) -> "Published":  # noqa: ARG001
    """A model of contracts with a log."""
    from tests.training.shops import CONTRACT_LOG, contract_shop, publish

    return publish(contract_shop(tmp_path_factory.mktemp("contract-log")), CONTRACT_LOG, "fit.refit=false")
