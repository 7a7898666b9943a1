"""The floor of the ratios: FastAPI validates the fields and answers a constant."""

import sys

from fastapi import FastAPI

from tests.benchmarks.serving.customer import Customer
from tests.benchmarks.serving.servers.bare import run

app = FastAPI()


@app.post("/predict")
async def predict(customer: Customer) -> dict[str, float]:
    """One customer."""
    assert customer
    return {"probability": 0.5}


@app.post("/predict_many")
async def predict_many(customers: list[Customer]) -> dict[str, int]:
    """A list of customers."""
    return {"customers": len(customers)}


if __name__ == "__main__":
    run(app, int(sys.argv[1]))
