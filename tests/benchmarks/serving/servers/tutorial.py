"""The endpoint of the usual tutorial: pydantic model, DataFrame, torch; `uvicorn main:app` as it comes."""

import sys
from typing import Any

import pandas as pd
import torch
import uvicorn
from fastapi import FastAPI

from tests.benchmarks.serving.customer import Customer
from tests.benchmarks.serving.sample import CATEGORIES, NUMBERS
from tests.benchmarks.serving.servers.network import build

app = FastAPI()
network = build()


@app.post("/predict")
def predict(customer: Customer) -> dict[str, float]:
    """One customer by way of a table of one row."""
    row: dict[str, Any] = customer.model_dump()
    frame = pd.DataFrame([row])
    for name, known in CATEGORIES.items():
        frame[name] = frame[name].map({text: code for code, text in enumerate(known)})
    numbers = torch.tensor(frame[list(NUMBERS)].to_numpy(dtype="float32"))
    codes = torch.tensor(frame[list(CATEGORIES)].to_numpy(dtype="int64"))
    with torch.no_grad():
        return {"probability": network(numbers, codes).item()}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]))
