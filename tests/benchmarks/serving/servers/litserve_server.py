"""LitServe with one worker."""

import sys
from typing import Any

import litserve

from tests.benchmarks.serving.customer import Customer
from tests.benchmarks.serving.servers.network import Network, build, probabilities


class Api(litserve.LitAPI):  # type: ignore[misc]
    """The four steps as its documentation has them."""

    network: Network

    def setup(self, device: str) -> None:
        """Once a worker."""
        assert device == "cpu"
        self.network = build()

    def decode_request(self, request: Customer) -> dict[str, Any]:
        """The fields, validated by pydantic because of the annotation."""
        row: dict[str, Any] = request.model_dump()
        return row

    def predict(self, row: dict[str, Any]) -> float:
        """One customer."""
        return probabilities(self.network, [row])[0]

    def encode_response(self, probability: float) -> dict[str, float]:
        """The answer."""
        return {"probability": probability}


if __name__ == "__main__":
    server = litserve.LitServer(Api(), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )
