"""BentoML with one worker; `bentoml serve` runs it."""

import bentoml

from tests.benchmarks.serving.customer import Customer
from tests.benchmarks.serving.servers.network import build, probabilities


@bentoml.service(workers=1)
class Service:
    """An endpoint as its documentation has them; the body is the customer."""

    def __init__(self) -> None:
        self.network = build()

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, customer: Customer, /) -> dict[str, float]:
        """One customer."""
        return {"probability": probabilities(self.network, [customer.model_dump()])[0]}
