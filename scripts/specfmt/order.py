"""The order of keys in specs: who it is, what kind it is, what goes in and out, how it runs, what it runs."""

from collections.abc import Iterable, Sequence

# One order for every kind of spec, and for the jobs of a pipeline.
SPEC = (
    *("$schema", "name", "version", "display_name", "endpoint_name", "description", "type", "task"),
    *("is_deterministic", "stage", "tags", "properties", "experiment_name"),
    *("resource_id", "namespace", "size", "min_instances", "max_instances", "idle_time_before_scale_down", "tier"),
    *("target", "credentials", "trigger", "import_data", "create_job", "create_monitor"),
    *("component", "trial", "compute", "auth_mode", "identity", "settings", "limits", "sampling_algorithm"),
    *("search_space", "objective", "early_termination", "inputs", "outputs", "jobs"),
    *("image", "build", "conda_file", "inference_config", "os_type", "source", "path"),
    *("model", "model_mount_path", "code_configuration", "code", "additional_includes", "environment"),
    *("environment_variables", "distribution", "instance_type", "instance_count", "resources", "scale_settings"),
    *("request_settings", "liveness_probe", "readiness_probe", "data_collector", "app_insights_enabled"),
    *("traffic", "mirror_traffic", "command"),
)
# An input or output.
PORT = ("type", "name", "version", "mode", "path", "optional", "enum", "min", "max", "default", "description")


def sorted_keys(keys: Iterable[str], order: Sequence[str]) -> list[str]:
    """Keys in order; an unknown one stays behind the known key that it follows."""
    rank = {key: number for number, key in enumerate(order)}
    ranked, last = [], -1
    for key in keys:
        last = rank.get(key, last)
        ranked.append((last, key))
    return [key for _, key in sorted(ranked, key=lambda pair: pair[0])]
