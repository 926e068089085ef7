"""compose.yaml says the same as the code: variables, commands, ports, files, versions."""

import dataclasses
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
import yaml

from origin.commands import COMMANDS
from origin.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SETTINGS = {field.metadata["variable"]: field for field in dataclasses.fields(Settings)}
OURS = ("origin", "consumers", "edge")


def example_environment() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_service_has_a_health_check_or_no_port() -> None:
    for name, service in SERVICES.items():
        assert "healthcheck" in service or not service.get("ports"), name


def test_services_start_in_the_order_of_health() -> None:
    for name, service in SERVICES.items():
        for needed, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}, name
            assert "healthcheck" in SERVICES[needed], f"{name} waits for {needed}"


@pytest.mark.parametrize("name", ["origin", "consumers"])
def test_every_variable_is_a_setting_and_is_readable(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert set(environment) <= set(SETTINGS)
    plain = {key: _default(value) for key, value in environment.items()}
    settings = Settings.read(plain)
    assert settings.kafka_bootstrap_servers == "kafka:9092"
    assert settings.port == 8601


def test_defaults_in_compose_are_the_codes_defaults() -> None:
    for key, value in SERVICES["origin"]["environment"].items():
        if "${" in value and key in SETTINGS and "://" not in value:
            read = SETTINGS[key].metadata["read"]
            assert read(_default(value)) == SETTINGS[key].default, key


def test_the_example_environment_names_exactly_what_compose_reads() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert set(example_environment()) == set(re.findall(r"\$\{(\w+):-", text))


def test_commands_exist() -> None:
    for name in ("origin", "consumers"):
        assert SERVICES[name]["command"][0] in COMMANDS


@pytest.mark.parametrize("name", OURS)
def test_our_images_are_built_from_files_that_exist_as_an_unprivileged_user(name: str) -> None:
    path = ROOT / SERVICES[name]["build"]["dockerfile"]
    dockerfile = path.read_text(encoding="utf-8")
    assert re.search(r"^USER (?!root)\w+$", dockerfile, re.MULTILINE)
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), f"{path.name}: COPY {source}"


def test_the_edge_finds_the_origin_where_it_listens() -> None:
    port = SERVICES["origin"]["environment"]["ATTUNE_ORIGIN_PORT"]
    assert SERVICES["edge"]["environment"]["ATTUNE_ORIGIN_URL"] == f"http://origin:{port}"
    assert SERVICES["edge"]["ports"] == ["${ATTUNE_EDGE_PORT:-8600}:8600"]
    dockerfile = (ROOT / "wasm/Dockerfile").read_text(encoding="utf-8")
    config = (ROOT / "wasm/workerd.capnp").read_text(encoding="utf-8")
    assert "http=0.0.0.0:8600" in dockerfile
    assert 'name = "http"' in config
    assert 'name = "site"' in config
    assert 'fromEnvironment = "ATTUNE_ORIGIN_URL"' in config


def test_what_outlives_the_edge_lies_in_a_volume() -> None:
    (volume,) = SERVICES["edge"]["volumes"]
    name, _, folder = volume.partition(":")
    assert name in COMPOSE["volumes"]
    dockerfile = (ROOT / "wasm/Dockerfile").read_text(encoding="utf-8")
    assert f"VOLUME {folder}" in dockerfile
    assert f'"store={folder}"' in dockerfile
    assert 'name = "store"' in (ROOT / "wasm/workerd.capnp").read_text(encoding="utf-8")


def test_the_edge_passes_every_variable_on_that_compose_sets() -> None:
    config = (ROOT / "wasm/workerd.capnp").read_text(encoding="utf-8")
    for variable in SERVICES["edge"]["environment"]:
        assert f'fromEnvironment = "{variable}"' in config


def test_the_broker_is_the_version_that_the_tests_run_against() -> None:
    pom = ElementTree.parse(ROOT / "origin/event_log/broker/pom.xml").getroot()
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    tested = pom.findtext(".//m:dependency/m:version", namespaces=space)
    assert tested is not None
    deployed = SERVICES["kafka"]["image"].split(":")[1]
    assert tested == deployed


def _default(value: str) -> str:
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
