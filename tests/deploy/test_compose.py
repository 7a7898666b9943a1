"""compose.yaml: two replicas behind nginx, the tool for keys, and Prometheus."""

import re
from pathlib import Path

import pytest
import yaml

from tests.deploy.files import COMPOSE, NGINX, ROOT, image_environment, settings_in, shutdown_seconds

SERVICES = COMPOSE["services"]
REPLICAS = [SERVICES[name] for name in ("propense-1", "propense-2")]


def test_a_replica_can_start_and_has_time_to_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for replica in REPLICAS:
        settings, keys = settings_in(replica["environment"], monkeypatch, tmp_path)
        assert float(replica["stop_grace_period"].removesuffix("s")) >= shutdown_seconds(settings)
        registry, key_folder, tmp = replica["volumes"]
        assert (registry["target"], registry["read_only"]) == (str(settings.registry), True)
        assert (key_folder, tmp) == (f"keys:{keys.parent}:ro", "/tmp")


def test_the_proxy_has_the_configuration_of_the_project_and_all_replicas() -> None:
    port = image_environment()["PROPENSE_PORT"]
    servers = re.findall(r"^ +server ([\w-]+):(\d+)", NGINX, re.MULTILINE)
    assert servers == [(name, port) for name in SERVICES if name.startswith("propense-")]
    proxy = SERVICES["proxy"]
    assert proxy["depends_on"] == {name: {"condition": "service_healthy"} for name, _ in servers}
    (listens,) = re.findall(r"listen (\d+) ssl", NGINX)
    assert proxy["ports"][0].endswith(f":{listens}")
    config, tls, tmp = proxy["volumes"]
    source, target, mode = config.split(":")
    assert (ROOT / source).read_text() == NGINX
    assert (target, mode, tmp) == ("/etc/nginx/nginx.conf", "ro", "/tmp")
    assert re.findall(r"ssl_certificate(?:_key)? ([\w/]+)/tls\.", NGINX) == [tls.split(":")[-2]] * 2


def test_the_keys_are_those_of_the_replicas() -> None:
    tool = SERVICES["keys"]
    for replica in REPLICAS:
        assert tool["environment"]["PROPENSE_KEYS"] == replica["environment"]["PROPENSE_KEYS"]
        assert tool["volumes"] == [replica["volumes"][1].removesuffix(":ro")]
        assert tool["image"] == replica["image"]
    assert tool["entrypoint"] == ["python", "-m", "app.keys"]


def test_no_container_can_write_to_its_image_or_gain_rights() -> None:
    for container in SERVICES.values():
        assert container["read_only"]
        assert container["cap_drop"] == ["ALL"]
        assert container["security_opt"] == ["no-new-privileges:true"]
    for container in (*REPLICAS, SERVICES["proxy"]):
        assert set(container["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}


def test_prometheus_scrapes_every_replica_with_its_key() -> None:
    prometheus = SERVICES["prometheus"]
    assert prometheus["profiles"] == ["metrics"]
    content = COMPOSE["configs"][prometheus["configs"][0]["source"]]["content"]
    (job,) = yaml.safe_load(content)["scrape_configs"]
    port = image_environment()["PROPENSE_PORT"]
    assert job["static_configs"] == [{"targets": [f"propense-1:{port}", f"propense-2:{port}"]}]
    (secret,) = prometheus["secrets"]
    assert job["authorization"] == {"credentials_file": f"/run/secrets/{secret}"}
    ignored = (ROOT / ".gitignore").read_text().split()
    assert COMPOSE["secrets"][secret]["file"].removeprefix(".") in ignored
    assert "/tls/" in ignored
