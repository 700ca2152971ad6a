"""python -m workspace.wire_table: write wire_models.json, what azure-ai-ml's generated models say of each body.

The server reads that table and not the SDK, whose import takes three to eight seconds. A test holds the two equal, so
that a newer SDK's fields come in with its pin.
"""

import json
import sys
import types
import typing
from pathlib import Path
from typing import Any

from azure.ai.ml._restclient.arm_ml_service import models
from azure.ai.ml._restclient.arm_ml_service._utils.model_base import Model

from workspace.bodies import TABLE

# Of the kinds of a body those that are imitated; the others are refused by their name before their fields matter.
KINDS = {
    "JobBaseProperties": ("Command", "Pipeline"),
    "Compute": ("Kubernetes",),
    "OnlineDeploymentProperties": ("Kubernetes",),
}
ROOTS = (
    "CodeVersion",
    "ComponentContainer",
    "ComponentVersion",
    "DataContainer",
    "EnvironmentContainer",
    "ModelContainer",
    "DataVersionBase",
    "DeploymentLogsRequest",
    "EnvironmentVersion",
    "JobBase",
    "ModelVersion",
    "OnlineDeployment",
    "OnlineEndpoint",
    "ComputeResource",
    "PendingUploadRequestDto",
    "RegenerateEndpointKeysRequest",
    "WorkspaceConnectionPropertiesV2BasicResource",
)


def table() -> dict[str, Any]:
    """{model: {"fields": {name: shape}, "kind": name of the field that tells its kinds, "kinds": {value: model}}}.

    A shape is the name of a model, ["list", shape], ["dict", shape], or null for a value that is taken as it is.
    """
    made: dict[str, Any] = {}
    waiting = list(ROOTS)
    while waiting:
        name = waiting.pop()
        if name in made:
            continue
        made[name] = _entry(getattr(models, name))
        shapes = [*made[name]["fields"].values(), *made[name].get("kinds", {}).values()]
        waiting += [model for shape in shapes for model in _named(shape)]
    return dict(sorted(made.items()))


def _entry(model: Any) -> dict[str, Any]:
    names = {**vars(sys.modules[model.__module__]), **vars(models), "_models": models}
    hints = typing.get_type_hints(model, globalns=names)
    model.__new__(model)  # fills _attr_to_rest_field
    fields = {rest._rest_name: _shape(hints[attr]) for attr, rest in model._attr_to_rest_field.items()}
    entry: dict[str, Any] = {"fields": dict(sorted(fields.items()))}
    kinds = {str(key): each.__name__ for key, each in model.__mapping__.items()} if "__mapping__" in vars(model) else {}
    if kinds:
        kept = KINDS.get(model.__name__, tuple(kinds))
        entry["kind"] = next(rest._rest_name for rest in model._attr_to_rest_field.values() if rest._is_discriminator)
        entry["kinds"] = {key: kinds[key] for key in sorted(kept)}
    return entry


def _shape(hint: Any) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        result = [shape for shape in map(_shape, inner) if shape is not None]
        return result[0] if len(result) == 1 else None
    if origin is list:
        return ["list", _shape(inner[0])] if _shape(inner[0]) else None
    if origin is dict:
        return ["dict", _shape(inner[1])] if _shape(inner[1]) else None
    is_model = isinstance(hint, type) and issubclass(hint, Model)
    return hint.__name__ if is_model else None


def _named(shape: Any) -> list[str]:
    if shape is None:
        return []
    return [shape] if isinstance(shape, str) else _named(shape[1])


def main() -> None:
    """Write the table."""
    Path(TABLE).write_text(json.dumps(table(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
