import json
import re
from typing import Any

import pytest

from tests.app.client import Client
from tests.app.toys import CONTRACTS


@pytest.fixture(scope="module")
def document(client: Client) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/openapi.json").json()
    return document


def resolve(document: dict[str, Any], reference: str) -> dict[str, Any]:
    found: dict[str, Any] = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_every_model_in_service_has_a_path_of_its_own(document: dict[str, Any]) -> None:
    predicting = [path for path in document["paths"] if path.endswith("/predict")]
    assert sorted(predicting) == [
        "/v1/models/churn/predict",
        "/v1/models/purchase/predict",
        "/v1/models/{name}/versions/{version}/predict",
    ]


def test_a_path_describes_the_models_own_fields(document: dict[str, Any]) -> None:
    body = document["paths"]["/v1/models/purchase/predict"]["post"]["requestBody"]
    by_customers, by_columns = body["content"]["application/json"]["schema"]["anyOf"]
    assert list(resolve(document, by_columns["$ref"])["properties"]) == ["as_of", "columns"]
    request = resolve(document, by_customers["$ref"])
    customer = resolve(document, request["properties"]["customers"]["items"]["$ref"])
    assert list(customer["properties"]) == ["customer_id", "tenure", "events"]
    event = resolve(document, customer["properties"]["events"]["anyOf"][0]["items"]["$ref"])
    assert list(event["properties"]) == ["date", "amount", "kind", "shop"]
    assert event["required"] == ["date"]
    assert event["properties"]["kind"]["x-known-categories"] == ["buy", "visit"]


def test_kinds_and_ranges_are_told(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]["ChurnCustomer"]["properties"]
    charges = fields["Total Charges"]
    assert charges["description"] == "a finite number, or null; from 0 to 10 in training"
    assert charges["examples"] == [5.0]
    assert [kind["type"] for kind in charges["anyOf"]] == ["number", "null"]
    assert fields["contract"]["x-known-categories"] == list(CONTRACTS[:50])
    assert [kind["type"] for kind in fields["_senior"]["anyOf"]] == ["boolean", "integer", "null"]


def test_repeated_numbers_are_not_the_only_ones_that_are_allowed(
    document: dict[str, Any], client: Client
) -> None:
    fields = document["components"]["schemas"]["ChurnCustomer"]["properties"]
    charges, bill = fields["Total Charges"], fields["bill_1"]
    assert charges.keys() == bill.keys()  # whose column has none
    assert charges["anyOf"] == bill["anyOf"]
    assert "7.5" not in json.dumps(charges)
    customers = [{"Total Charges": number} for number in (7.5, 7.4999, -3, 1e30, None)]
    answer = client.predict("churn", {"customers": customers})
    assert answer.status_code == 200
    told = [one["probability"] for one in answer.json()["predictions"]]
    assert abs(told[0] - told[1]) > 1e-4  # though they are neighbours: 7.5 is known by itself


@pytest.mark.parametrize("name", ["churn", "purchase"])
def test_the_example_in_the_document_works(document: dict[str, Any], client: Client, name: str) -> None:
    body = document["paths"][f"/v1/models/{name}/predict"]["post"]["requestBody"]
    answer = client.predict(name, body["content"]["application/json"]["example"])
    assert answer.status_code == 200


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))
    assert len(references) > 20
    for reference in references:
        assert resolve(document, reference)


def test_operations_have_distinct_short_names(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)
    assert {"predict_churn", "predict_version", "list_models", "describe_model", "ready"} <= set(names)


def test_refusals_are_documented_as_problem_details(document: dict[str, Any]) -> None:
    for path in ("/v1/models/churn/predict", "/v1/models/{name}/versions/{version}/predict"):
        responses = document["paths"][path]["post"]["responses"]
        assert responses.keys() == {"200", "400", "404", "413", "415", "422", "503", "504"}
        for status in responses.keys() - {"200"}:
            (media_type,) = responses[status]["content"]
            assert media_type == "application/problem+json"
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_the_document_has_a_page(client: Client) -> None:
    assert "/openapi.json" in client.get("/docs").text
