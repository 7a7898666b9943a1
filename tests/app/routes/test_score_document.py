import re
from typing import Any

from app.routes.score import ANY_FORM, SUFFIXES
from tests.app.client import Client


def test_the_api_document_tells_of_files(client: Client) -> None:
    paths: dict[str, Any] = client.get("/openapi.json").json()["paths"]
    scoring = {path: item["post"] for path, item in paths.items() if path.endswith("/score")}
    assert list(scoring) == ["/v1/models/{name}/score", "/v1/models/{name}/versions/{version}/score"]
    for path, operation in scoring.items():
        assert operation["requestBody"]["content"].keys() == {ANY_FORM, *SUFFIXES}
        assert operation["responses"]["200"]["content"].keys() == {ANY_FORM, *SUFFIXES}
        assert operation["responses"].keys() == {"200", "400", "404", "408", "413", "415", "422", "503"}
        named = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
        assert named == re.findall(r"{(\w+)}", path)


def test_the_api_document_tells_of_columns(client: Client) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    request, columns = schemas["PurchaseColumnsRequest"], schemas["PurchaseColumns"]
    assert request["required"] == ["columns"]
    assert list(columns["properties"]) == ["customer_id", "tenure", "events"]
    items = columns["properties"]["events"]["anyOf"][0]["items"]["anyOf"][0]["items"]
    assert items == {"$ref": "#/components/schemas/PurchaseEvent"}
