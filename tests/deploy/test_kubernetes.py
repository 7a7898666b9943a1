"""configs/deploy/kubernetes.yaml: two pods behind a Service and an Ingress."""

import re
from pathlib import Path

import pytest

from tests.deploy.files import MANIFESTS, NGINX, instructions, settings_in, shutdown_seconds

DEPLOYMENT, SERVICE, INGRESS = MANIFESTS
POD = DEPLOYMENT["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


def test_the_pod_can_start_and_has_time_to_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment = {variable["name"]: variable["value"] for variable in CONTAINER["env"]}
    settings, keys = settings_in(environment, monkeypatch, tmp_path)
    assert POD["terminationGracePeriodSeconds"] >= shutdown_seconds(settings)
    assert CONTAINER["ports"] == [{"name": "http", "containerPort": settings.port}]
    assert POD["enableServiceLinks"] is False  # a Service of this name would set PROPENSE_PORT to a URL
    mounted = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert mounted == {"registry": str(settings.registry), "keys": str(keys.parent), "tmp": "/tmp"}
    assert [volume["name"] for volume in POD["volumes"]] == list(mounted)


def test_the_pod_runs_as_the_user_of_the_image_and_cannot_write() -> None:
    (user,) = instructions("USER")
    context, inner = POD["securityContext"], CONTAINER["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == user
    assert context["runAsNonRoot"]
    assert context["fsGroup"] == context["runAsGroup"]  # may read the keys
    assert inner["readOnlyRootFilesystem"]
    assert inner["allowPrivilegeEscalation"] is False
    assert inner["capabilities"] == {"drop": ["ALL"]}


def test_two_pods_serve_during_an_update() -> None:
    assert DEPLOYMENT["spec"]["replicas"] == 2
    assert DEPLOYMENT["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_the_service_finds_the_pods_and_the_ingress_the_service() -> None:
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert DEPLOYMENT["spec"]["selector"]["matchLabels"] == labels == SERVICE["spec"]["selector"]
    (port,) = SERVICE["spec"]["ports"]
    assert port["targetPort"] == CONTAINER["ports"][0]["name"]
    (rule,) = INGRESS["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": SERVICE["metadata"]["name"], "port": {"name": port["name"]}}
    assert rule["host"] in INGRESS["spec"]["tls"][0]["hosts"]


@pytest.mark.parametrize("directive", ["proxy_next_upstream", "proxy_next_upstream_tries"])
def test_the_ingress_repeats_requests_as_nginx_does(directive: str) -> None:
    annotations = INGRESS["metadata"]["annotations"]
    (value,) = re.findall(rf"^ +{directive} (.*?);", NGINX, re.MULTILINE)
    assert annotations[f"nginx.ingress.kubernetes.io/{directive.replace('_', '-')}"] == value


def test_the_ingress_takes_files_as_large_as_nginx_does() -> None:
    largest = re.findall(r"client_max_body_size (\w+);", NGINX)[-1]
    assert INGRESS["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"] == largest
