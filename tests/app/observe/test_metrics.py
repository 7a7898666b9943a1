"""GET /metrics."""

import asyncio
import re

from app.observe.metrics import Metrics
from tests.app.client import Client
from tests.app.routes.test_health import sample


def test_missing_unknown_and_far_values_are_counted_by_feature(client: Client) -> None:
    lines = [
        f'propense_{what}_total{{feature="{feature}",model="churn"}}'
        for what, feature in (
            ("missing_values", "bill_1"),
            ("missing_values", "contract"),
            ("unknown_categories", "contract"),
            ("out_of_range", "Total Charges"),
            ("out_of_range", "bill_2"),
        )
    ]
    before = [sample(client, line) for line in lines]
    row = {"Total Charges": 11, "contract": "none of them", "copy": "1", "bill_1": 5, "bill_2": 10}
    client.predict("churn", {"customers": [row, row, {"Total Charges": 5}]})
    after = [sample(client, line) for line in lines]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 2, 2, 0]


def test_values_of_a_log_are_counted_too(client: Client) -> None:
    missing = 'propense_missing_values_total{feature="tenure",model="purchase"}'
    before = sample(client, missing)
    client.predict("purchase", {"customers": [{"customer_id": "1"}]})
    assert sample(client, missing) == before + 1
    assert 'feature="recency_days",model="purchase"' in client.get("/metrics").text


def test_scores_and_batches_are_counted(client: Client) -> None:
    lines = [
        'propense_score_count{model="churn",version="1"}',
        'propense_score_bucket{le="1.0",model="churn",version="1"}',
        "propense_batch_rows_sum",
    ]
    before = [sample(client, line) for line in lines]
    client.predict("churn", {"customers": [{}] * 7})
    assert [sample(client, line) for line in lines] == [count + 7 for count in before]
    text = client.get("/metrics").text
    bounds = re.findall(r'propense_score_bucket{le="(.+)",model="churn",version="1"}', text)
    assert bounds == ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0", "+Inf"]


def test_a_version_has_a_series_while_it_answers(client: Client) -> None:
    text = client.get("/metrics").text
    assert [line for line in text.splitlines() if line.startswith("propense_model_info{")] == [
        'propense_model_info{model="churn",version="1"} 1.0',
        'propense_model_info{model="purchase",version="1"} 1.0',
    ]
    assert sample(client, 'propense_model_load_failures_total{model="broken"}') >= 1


def test_refusals_are_counted_by_kind(client: Client) -> None:
    kinds = ("invalid-request", "unknown-model", "not-found", "method-not-allowed", "unsupported-media-type")
    lines = [f'propense_refusals_total{{reason="{kind}"}}' for kind in kinds]
    before = [sample(client, line) for line in lines]
    client.predict("churn", {"customers": [{"contract": []}]})
    client.predict("nobody", {"customers": [{}]})
    client.get("/nowhere")
    client.get("/v1/models/churn/predict")
    client.predict("churn", b"x", headers={})
    assert [sample(client, line) for line in lines] == [count + 1 for count in before]


def test_requests_in_flight_and_the_process_are_measured(client: Client) -> None:
    assert sample(client, "propense_in_flight") == 1  # this one
    assert sample(client, "propense_queue_waiting") == 0
    assert sample(client, "process_resident_memory_bytes") > 1e6


def test_each_family_is_described_once(client: Client) -> None:
    lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith("# TYPE ")]
    assert len(lines) == len(set(lines)) > 15
    assert not any("_created" in line for line in lines)


def test_a_version_out_of_service_has_no_series() -> None:
    metrics = Metrics()
    metrics.note_version("churn", 1, in_service=True)
    metrics.note_version("churn", 1, in_service=False)
    metrics.note_version("churn", 2, in_service=True)
    text = asyncio.run(metrics.exposition())
    assert b'propense_model_info{model="churn",version="2"} 1.0' in text
    assert b'version="1"' not in text
