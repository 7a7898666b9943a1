"""MLServer without worker processes. Its protocol has a tensor a field; the runtime checks what they hold."""

import asyncio
import socket
import sys
import tempfile

import numpy as np
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse
from pydantic import ValidationError

from tests.benchmarks.serving.customer import Customer
from tests.benchmarks.serving.servers.network import Network, build, probabilities


class Runtime(MLModel):  # type: ignore[misc]
    """A custom runtime as its documentation has them."""

    network: Network

    async def load(self) -> bool:
        """Once."""
        self.network = build()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """One customer."""
        try:
            customer = Customer.model_validate({tensor.name: tensor.data[0] for tensor in payload.inputs})
        except ValidationError as error:
            raise InferenceError(str(error)) from error
        answers = np.array(probabilities(self.network, [customer.model_dump()]))
        return InferenceResponse(
            model_name=self.name, outputs=[NumpyCodec.encode_output("probability", answers)]
        )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def main(port: int) -> None:
    """Serve until told to stop."""
    with tempfile.TemporaryDirectory(prefix="propense-") as folder:
        settings = Settings(
            host="127.0.0.1",
            http_port=port,
            grpc_port=_free_port(),
            metrics_port=_free_port(),
            metrics_dir=folder,
            environments_dir=folder,
            parallel_workers=0,
            debug=False,
        )
        asyncio.run(MLServer(settings).start([ModelSettings(name="customers", implementation=Runtime)]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
