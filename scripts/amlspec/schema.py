"""Typed models of the Azure ML specs that this repo uses. A field that a model does not know is an error."""

from typing import Annotated, Any, Literal, TypeVar

from annotated_types import Ge, Le
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.kinds import Kind
from amlspec.types import DATA_TYPES
from amlspec.types import Literal as Literal_

Literals = Literal_
PATH_TYPES = DATA_TYPES


def _as_text(value: object) -> object:
    """Azure's loader takes a number where a variable's text is wanted; a step then sees its digits."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Variables = dict[str, Annotated[str, BeforeValidator(_as_text)]]


class Spec(BaseModel):
    """Common ground: frozen, strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


class Input(Spec):
    """An input: of a component (a declaration) or of a job (a value)."""

    type: str = "string"
    description: str | None = None
    default: Literals | None = None
    optional: bool = False
    min: float | None = None
    max: float | None = None
    enum: tuple[Literals, ...] | None = None
    path: str | None = None
    mode: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _typed(cls, value: Any) -> Any:
        """A path without a type is a folder, as Azure's loader has it."""
        if isinstance(value, dict) and value.get("path") is not None and "type" not in value:
            return {**value, "type": "uri_folder"}
        return value


class Output(Spec):
    """An output; `name` registers it as a data asset when the whole job has ended well."""

    type: str = "uri_folder"
    description: str | None = None
    mode: str | None = None
    path: str | None = None
    name: str | None = None
    version: str | None = None

    _version = field_validator("version", mode="before")(lambda value: None if value is None else str(value))


class Described(Spec):
    """Fields that every job and asset has."""

    schema_: str | None = Field(default=None, alias="$schema")
    name: str | None = None
    description: str | None = None
    tags: dict[str, Any] = {}


class Versioned(Described):
    """What every asset has besides."""

    version: str | None = None

    _version = field_validator("version", mode="before")(lambda value: None if value is None else str(value))


class Resources(Spec):
    """What a step asks of its machine; only the number of machines matters here."""

    instance_count: int = Field(default=1, ge=1)
    instance_type: str | None = None
    shm_size: str | None = None
    docker_args: str | tuple[str, ...] | None = None
    locations: tuple[str, ...] = ()
    max_instance_count: int | None = None
    properties: dict[str, Any] = {}


class Settings(Spec):
    """Settings of a pipeline."""

    default_compute: str | None = None
    default_datastore: str | None = None
    continue_on_step_failure: bool = False
    continue_on_failed_optional_input: bool = True
    force_rerun: bool = False
    on_init: str | None = None
    on_finalize: str | None = None


class Component(Versioned):
    """A command component, or the command of an inline node."""

    type: Literal["command"] = "command"
    display_name: str | None = None
    properties: dict[str, Any] = {}
    is_deterministic: bool = True
    inputs: dict[str, Input] = {}
    outputs: dict[str, Output] = {}
    code: str | None = None
    additional_includes: tuple[str, ...] = ()
    environment: str | dict[str, Any] | None = None
    resources: Resources = Resources()
    distribution: dict[str, Any] | None = None
    command: str


class PipelineComponent(Versioned):
    """A pipeline under a name and version. The local engine runs pipelines whose steps stand in them."""

    type: Literal["pipeline"] = "pipeline"
    display_name: str | None = None
    properties: dict[str, Any] = {}
    is_deterministic: bool = True
    inputs: dict[str, Input] = {}
    outputs: dict[str, Output] = {}
    jobs: dict[str, Any] = {}
    settings: Settings = Settings()


class Limits(Spec):
    """Bounds of a node."""

    timeout: int | None = Field(default=None, ge=1)


class Node(Spec):
    """One step of a pipeline. Inputs are literals, bindings, or data."""

    type: Literal["command"] = "command"
    display_name: str | None = None
    description: str | None = None
    tags: dict[str, Any] = {}
    component: str | dict[str, Any] | None = None
    compute: str | None = None
    identity: dict[str, Any] | None = None
    limits: Limits = Limits()
    resources: Resources = Resources()
    distribution: dict[str, Any] | None = None
    environment_variables: Variables = {}
    inputs: dict[str, Literals | Input | None] = {}
    outputs: dict[str, str | Output | None] = {}
    # An inline command instead of a component:
    code: str | None = None
    environment: str | dict[str, Any] | None = None
    command: str | None = None
    is_deterministic: bool = True


class Pipeline(Described):
    """A pipeline job."""

    type: Literal["pipeline"]
    display_name: str | None = None
    properties: dict[str, Any] = {}
    component: str | None = None
    experiment_name: str | None = None
    compute: str | None = None
    settings: Settings = Settings()
    identity: dict[str, Any] | None = None
    inputs: dict[str, Literals | Input | None] = {}
    outputs: dict[str, str | Output | None] = {}
    jobs: dict[str, Node]


class CommandJob(Node):
    """A job of one step."""

    schema_: str | None = Field(default=None, alias="$schema")
    name: str | None = None
    experiment_name: str | None = None
    properties: dict[str, Any] = {}
    settings: Settings = Settings()


class Environment(Versioned):
    """An environment: an image with conda packages, or a build context."""

    image: str | None = None
    conda_file: str | dict[str, Any] | None = None
    build: dict[str, str] | None = None
    os_type: str | None = None
    inference_config: dict[str, Any] | None = None


class Data(Versioned):
    """A data asset."""

    type: Literal["uri_file", "uri_folder", "mltable"] = "uri_folder"
    path: str


class Model(Versioned):
    """A model asset."""

    type: Literal["mlflow_model", "custom_model"] = "custom_model"
    properties: dict[str, Any] = {}
    path: str
    stage: str | None = None
    flavors: dict[str, Any] = {}


class DataImport(Versioned):
    """A data asset that is read out of a database."""

    type: str
    properties: dict[str, Any] = {}
    source: dict[str, Any]
    path: str


class Connection(Spec):
    """A workspace connection."""

    schema_: str | None = Field(default=None, alias="$schema")
    name: str
    type: str
    target: str
    credentials: dict[str, Any] | None = None
    metadata: dict[str, Any] = {}
    tags: dict[str, Any] = {}
    is_shared: bool = True


# The model of each kind of spec; serving's are in amlspec/serving.py.
MODELS: dict[Kind, type[Spec]] = {
    Kind.COMPONENT: Component,
    Kind.PIPELINE_COMPONENT: PipelineComponent,
    Kind.PIPELINE: Pipeline,
    Kind.COMMAND_JOB: CommandJob,
    Kind.ENVIRONMENT: Environment,
    Kind.DATA: Data,
    Kind.MODEL: Model,
    Kind.IMPORT: DataImport,
    Kind.CONNECTION: Connection,
}


def field_names(model: type[Spec]) -> frozenset[str]:
    """Fields of a spec as they are written in YAML."""
    return frozenset(field.alias or name for name, field in model.model_fields.items())


def bounds(model: type[Spec]) -> dict[str, tuple[Any, Any]]:
    """Field -> lowest and highest value that it may have, of every field with a bound."""
    limits: dict[str, tuple[Any, Any]] = {}
    for name, field in model.model_fields.items():
        low = next((item.ge for item in field.metadata if isinstance(item, Ge)), None)
        high = next((item.le for item in field.metadata if isinstance(item, Le)), None)
        if low is not None or high is not None:
            limits[name] = (low, high)
    return limits


_S = TypeVar("_S", bound=Spec)


def parse(model: type[_S], document: Document) -> _S:
    """The document as `model`. Raises UserError that names the first wrong field with file:line."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        first = error.errors()[0]
        key = tuple(part for part in first["loc"] if not _is_union_tag(part, document, first["loc"]))
        field = ".".join(str(part) for part in key) or model.__name__.lower()
        known = first["type"] != "extra_forbidden"
        message = first["msg"][:1].lower() + first["msg"][1:] if known else "not a field here"
        raise UserError(f"{document.where(*key)}: {field}: {message}") from None


def _is_union_tag(part: str | int, document: Document, loc: tuple[str | int, ...]) -> bool:
    """pydantic adds the tried type of a union to the location; the file has no such key."""
    names = {"str", "bool", "int", "float", "Input", "Output"}
    return isinstance(part, str) and (part in names or part.startswith("dict[")) and tuple(loc) not in document.lines
