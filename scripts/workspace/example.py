"""A first use of the workspace, with Microsoft's own client: submit, follow, download, ask every endpoint."""

from azure.ai.ml import MLClient, Output, command
from azure.ai.ml.entities import Environment
from azure.identity import DefaultAzureCredential

ml = MLClient(DefaultAzureCredential(), "{subscription}", "{group}", "{workspace}")
ml.environments.create_or_update(Environment(name="plain", version="1", image="ubuntu:24.04"))
script, words = "echo hello | tee ${{outputs.words}}/hello.txt", {"words": Output(type="uri_folder")}
job = ml.jobs.create_or_update(command(command=script, environment="plain:1", outputs=words))
ml.jobs.stream(job.name)
ml.jobs.download(job.name, output_name="words", download_path="hello")
for endpoint in ml.online_endpoints.list():
    print(ml.online_endpoints.invoke(endpoint.name, request_file="ml/deploy/sample-request.json"))  # noqa: T201
