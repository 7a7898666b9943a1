"""Generators of clients make types of the API document, and such a client asks a service."""

import json
import shutil
import subprocess
import venv
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from app.routes.schemas import stem_of
from tests.app.client import Client
from tests.app.process import port_of, service, wait_until_ready

PYTHON_GENERATORS = ("openapi-python-client==0.29.1", "datamodel-code-generator==0.89.0")
TYPESCRIPT_GENERATOR = ("openapi-typescript@7.13.0", "typescript@5.9.3")
ASK = """
    import datetime, io
    from propense_client import Client
    from propense_client.api.predictions import predict_churn, predict_purchase, predict_version, score
    from propense_client.models import *
    from propense_client.types import File

    client = Client("http://127.0.0.1:{port}")
    customer = ChurnCustomer(total_charges=3.0, contract="contract 1", since=datetime.date(1997, 3, 1))
    table = predict_churn.sync(client=client, body=ChurnRequest(customers=[customer]), warnings=True)
    assert isinstance(table, Predictions), table
    pinned = predict_version.sync("churn", 1, client=client, body=ChurnRequest(customers=[customer]))
    columns = ChurnColumns(total_charges=[3.0, 4.0])
    by_columns = predict_churn.sync(client=client, body=ChurnColumnsRequest(columns=columns))
    event = PurchaseEvent(date=datetime.datetime(1997, 1, 1, 10), amount=3.0, kind="buy")
    body = PurchaseRequest(as_of=datetime.date(1997, 12, 31), customers=[PurchaseCustomer(events=[event])])
    log = predict_purchase.sync(client=client, body=body)
    wrong = predict_churn.sync(client=client, body=ChurnRequest(customers=[]))
    assert isinstance(wrong, ProblemDetails) and wrong.status == 422, wrong
    file = score.sync("churn", client=client, body=File(io.BytesIO(b'{{"Total Charges": 3.0}}\\n')))
    assert isinstance(file, File), file
    print(len(table.predictions), len(pinned.predictions), len(by_columns.predictions), log.predictions)
    print(file.payload.read().decode())
"""


def run(*command: str | Path, folder: Path) -> str:
    """What a command prints."""
    ran = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def port(registry: Path) -> Iterator[int]:
    """Of a service over `registry`."""
    with service(registry=str(registry), port="0") as process:
        port = port_of(process)
        wait_until_ready(port)
        yield port


@pytest.fixture(scope="module")
def document(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The API document of a service, alone in a folder."""
    file = tmp_path_factory.mktemp("document") / "openapi.json"
    file.write_text(client.get("/openapi.json").text)
    return file


@pytest.fixture(scope="module")
def generators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The commands of an environment that has the generators of Python."""
    folder = tmp_path_factory.mktemp("generators")
    venv.create(folder, with_pip=True)
    run(folder / "bin" / "pip", "install", "--quiet", *PYTHON_GENERATORS, folder=folder)
    yield folder / "bin"
    shutil.rmtree(folder)


@pytest.mark.heavy
def test_openapi_python_client_makes_a_typed_client_that_works(
    port: int, document: Path, generators: Path
) -> None:
    folder = document.parent
    told = run(generators / "openapi-python-client", "generate", "--path", document, folder=folder)
    assert "duplicate" not in told
    assert "will not be generated" not in told
    made = folder / "propense-client"
    for file in (made / "propense_client" / "api").rglob("*.py"):
        assert "body: Any" not in file.read_text(), file
    program = dedent(ASK).format(port=port)
    counts, scores = run(generators / "python", "-c", program, folder=made).split("\n", 1)
    assert counts.startswith("1 1 2 ")
    assert json.loads(scores)["error"] is None


@pytest.mark.heavy
def test_datamodel_code_generator_makes_classes_of_each_model(document: Path, generators: Path) -> None:
    out = document.with_name("models.py")
    options = ("--output-model-type", "pydantic_v2.BaseModel", "--input-file-type", "openapi")
    run(generators / "datamodel-codegen", "--input", document, "--output", out, *options, folder=out.parent)
    body = '{"as_of": "1997-12-31", "customers": [{"events": [{"date": "1997-03-01", "amount": 3}]}]}'
    program = (
        f"import models; print(models.PurchaseRequest.model_validate_json({body!r}).customers[0].events)"
    )
    assert "amount=3.0" in run(generators / "python", "-c", program, folder=out.parent)


@pytest.mark.heavy
def test_openapi_typescript_knows_every_field(document: Path) -> None:
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    folder = document.parent
    (folder / "package.json").write_text("{}")
    run("npm", "install", "--silent", *TYPESCRIPT_GENERATOR, folder=folder)
    made = folder / "node_modules" / ".bin"
    run(made / "openapi-typescript", document, "--output", "api.d.ts", folder=folder)
    (folder / "use.ts").write_text(
        """
        import type { components } from "./api";
        const body: components["schemas"]["PurchaseRequest"] =
            { as_of: "1997-12-31", customers: [{ tenure: 3, events: [{ date: "1997-03-01" }] }] };
        // @ts-expect-error: the time of an event is a text
        const wrong: components["schemas"]["PurchaseEvent"] = { date: 3 };
        console.log(body, wrong);
        """
    )
    run(made / "tsc", "--noEmit", "--strict", "--skipLibCheck", "use.ts", folder=folder)


def test_no_two_models_share_a_name_or_a_title(client: Client) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert {"ChurnRequest", "ChurnColumnsRequest", "ChurnCustomer", "PurchaseEvent"} <= schemas.keys()
    titles = [schema["title"] for schema in schemas.values() if "title" in schema]
    assert len(titles) == len({title.lower() for title in titles})
    assert [stem_of("a-b", ()), stem_of("ab", ["AB"]), stem_of("a1", ["A1", "A1V2"])] == [
        "AB",
        "AbV2",
        "A1V3",
    ]
