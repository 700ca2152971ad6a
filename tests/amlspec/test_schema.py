"""The typed models against azure-ai-ml's own schemas: no field that Azure does not have."""

import importlib
from typing import Any

import pytest

from amlspec import schema, serving
from amlspec.kinds import Kind
from speccheck.loaders import quiet

# Where azure-ai-ml keeps the schema of each kind.
AZURE = {
    Kind.COMPONENT: ("component", "CommandComponentSchema"),
    Kind.PIPELINE: ("pipeline", "PipelineJobSchema"),
    Kind.ENVIRONMENT: ("assets.environment", "EnvironmentSchema"),
    Kind.DATA: ("assets.data", "DataSchema"),
    Kind.MODEL: ("assets.model", "ModelSchema"),
    Kind.ENDPOINT: ("_endpoint.online.online_endpoint", "KubernetesOnlineEndpointSchema"),
    Kind.DEPLOYMENT: ("_deployment.online.online_deployment", "KubernetesOnlineDeploymentSchema"),
}
MODELS = {**schema.MODELS, **serving.MODELS}


def azure_fields(kind: Kind) -> set[str]:
    module, name = AZURE[kind]
    with quiet():
        schema: Any = getattr(importlib.import_module(f"azure.ai.ml._schema.{module}"), name)
        return {field.data_key or key for key, field in schema(context={"base_path": "."}).fields.items()}


@pytest.mark.parametrize("kind", AZURE)
def test_every_field_of_a_model_is_one_of_azures(kind: Kind) -> None:
    # Its loaders take $schema out before they look.
    assert schema.field_names(MODELS[kind]) - {"$schema"} <= azure_fields(kind)


def test_bounds_are_read_from_the_models() -> None:
    assert schema.bounds(serving.Requests)["request_timeout_ms"] == (1, 180_000)
    assert schema.bounds(serving.Code) == {}
