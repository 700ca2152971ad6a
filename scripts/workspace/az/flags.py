"""Flags of the verbs that the thin `az` has: those of the CLI's reference that are imitated, and no others.

Source: MicrosoftDocs/azure-docs-cli, docs-ref-autogen/Latest-version/latest, as of 2026-08-21. A `!` marks one that
must be given.
"""

FLAGS: dict[str, dict[str, str]] = {
    "environment": {
        "create": "--file --name --set --version",
        "show": "--name! --label --version",
        "list": "--max-results --name",
    },
    "component": {
        "create": "--file! --name --set --version",
        "show": "--name! --label --version",
        "list": "--max-results --name",
    },
    "data": {
        "create": "--file --name --set --version",
        "show": "--name! --label --version",
        "list": "--max-results --name",
    },
    "model": {
        "create": "--file --name --set --version",
        "show": "--name! --label --version",
        "list": "--max-results --name",
        "download": "--name! --version! --download-path",
    },
    "job": {
        "create": "--file! --name --set --stream",
        "show": "--name!",
        "list": "--max-results --parent-job-name",
        "download": "--name! --all --download-path --output-name",
        "stream": "--name!",
        "cancel": "--name!",
    },
    "compute": {
        "attach": "--file --name --namespace --resource-id --type",
        "show": "--name!",
        "list": "--max-results",
    },
    "online-endpoint": {
        "create": "--auth-mode --file --name --set",
        "update": "--file --name --set --traffic",
        "show": "--name!",
        "list": "",
        "delete": "--name! --yes",
        "invoke": "--name! --deployment-name --request-file",
        "get-credentials": "--name!",
        "regenerate-keys": "--name! --key-type",
    },
    "online-deployment": {
        "create": "--file! --all-traffic --endpoint-name --name --set --skip-script-validation",
        "show": "--endpoint-name! --name!",
        "list": "--endpoint-name!",
        "get-logs": "--endpoint-name! --name! --lines",
        "delete": "--endpoint-name! --name! --yes",
    },
    "schedule": {
        "list": "--include-disabled --max-results",
    },
}
