"""Every host that an image, a lock or a connector needs is allowed in prod, where jobs reach approved names only."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from terraform_runs import ROOT

ENVIRONMENTS = sorted(path.parent for path in (ROOT / "ml" / "environments").glob("*/Dockerfile"))
PYPI = {"pypi.org", "files.pythonhosted.org"}
# Azure ML's managed network allows these by itself, by service tag (how-to-managed-network, list of required rules).
BY_TAG = {"mcr.microsoft.com"}
# What a package reaches at run time, besides hosts that only an account knows (snowflake_stage_fqdns).
RUN_TIME = {
    "snowflake-connector-python": {"account.snowflakecomputing.com", "ocsp.snowflakecomputing.com"},
}
COMMANDS = {
    r"\bapt(-get)? (install|update)\b": {"archive.ubuntu.com", "security.ubuntu.com"},
    r"\b(pip|uv pip) install\b": PYPI,
    r"\buv (sync|python)\b": PYPI | {"github.com", "release-assets.githubusercontent.com"},
    r"\bconda (create|install|env)\b": {"conda.anaconda.org"},
}


def allowed() -> set[str]:
    text = (ROOT / "infra" / "environments" / "prod.tfvars").read_text()
    table = text.split("outbound_fqdns = {", 1)[1].split("}", 1)[0]
    return set(re.findall(r'= "([^"]+)"', table)) | BY_TAG


def hosts_of_a_dockerfile(text: str) -> set[str]:
    """Hosts of images, commands and addresses; conda without its own channel list also asks the default one."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    hosts = {image.split("/")[0] for image in re.findall(r"^FROM (?:--\S+ )*(\S+/\S+)", lines, re.M)}
    hosts |= {host for command, needs in COMMANDS.items() if re.search(command, lines) for host in needs}
    if re.search(r"\bconda (create|install)\b(?!.*--override-channels)", lines):
        hosts.add("repo.anaconda.com")
    return hosts | set(re.findall(r"https?://([\w.-]+)", lines))


def hosts_of_a_lock(text: str) -> set[str]:
    pins = set(re.findall(r"^([a-z0-9-]+)==", text, re.M))
    hosts = {host for package, needs in RUN_TIME.items() if package in pins for host in needs}
    return hosts | set(re.findall(r"(?:index-url|find-links|@) ?=? ?\S*https?://([\w.-]+)", text)) | PYPI


def refused(hosts: set[str]) -> set[str]:
    return {host for host in hosts if not any(fnmatch(host, name) for name in allowed())}


@pytest.mark.parametrize("folder", ENVIRONMENTS, ids=lambda path: path.name)
def test_prod_allows_the_hosts_that_building_the_image_needs(folder: Path) -> None:
    hosts = hosts_of_a_dockerfile((folder / "Dockerfile").read_text())
    assert "mcr.microsoft.com" in hosts
    assert hosts >= PYPI
    assert refused(hosts) == set()


@pytest.mark.parametrize("folder", ENVIRONMENTS, ids=lambda path: path.name)
def test_prod_reaches_what_the_lock_needs(folder: Path) -> None:
    assert refused(hosts_of_a_lock((folder / "requirements.txt").read_text())) == set()


def test_no_host_is_allowed_that_nothing_needs() -> None:
    needs = set[str]()
    for folder in ENVIRONMENTS:
        needs |= hosts_of_a_dockerfile((folder / "Dockerfile").read_text())
        needs |= hosts_of_a_lock((folder / "requirements.txt").read_text())
    assert {name for name in allowed() if not any(fnmatch(host, name) for host in needs)} == set()


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("RUN conda create --name x python", "repo.anaconda.com"),
        ("RUN conda install --channel conda-forge --override-channels x", "conda.anaconda.org"),
        ("RUN apt-get install --yes curl", "archive.ubuntu.com"),
        ("FROM docker.io/library/python:3.11", "docker.io"),
        ("ADD https://example.com/file /file", "example.com"),
    ],
)
def test_a_host_in_a_dockerfile_counts_as_needed(line: str, host: str) -> None:
    assert host in hosts_of_a_dockerfile(line)


def test_a_package_index_named_in_a_lock_counts_as_needed() -> None:
    assert "wheels.example.com" in hosts_of_a_lock("--extra-index-url https://wheels.example.com/simple\n")


def test_snowflakes_stage_is_asked_for_where_its_connector_is_used() -> None:
    used = any("snowflake-connector-python==" in (folder / "requirements.txt").read_text() for folder in ENVIRONMENTS)
    variables = (ROOT / "infra" / "variables.tf").read_text()
    assert used
    assert "system$allowlist()" in variables.split('variable "snowflake_stage_fqdns"')[1].split("\nvariable ")[0]
