"""Jobs: submitted, shown, listed, cancelled."""

from workspace import engine, runs
from workspace.messages import Answer, Request, bad_request
from workspace.site import Site
from workspace.translate import ids, jobs

_PAGE = 100


def put(site: Site, request: Request) -> Answer:
    """Submit a job. A name that exists is not submitted again: a client whose answer got lost asks the same."""
    name = request["name"]
    if known := engine.job_or_none(name):
        return Answer(200, jobs.shown(site, known, engine.noted(name)))
    properties = (request.body or {}).get("properties")
    if not isinstance(properties, dict):
        raise bad_request("The request has no properties.")
    spec = jobs.spec(site, properties)
    return Answer(201, jobs.shown(site, engine.submit(name, spec, request.body), request.body))


def show(site: Site, request: Request) -> Answer:
    """One job."""
    name = request["name"]
    result = runs.find(name)
    if result and result.step:
        # A child has no properties here: the SDK then asks run history (azure-ai-ml `_is_pipeline_child_job`).
        return Answer(body={**ids.resource(site, f"jobs/{name}", name, {}), "properties": None})
    return Answer(body=jobs.shown(site, engine.job(name), engine.noted(name)))


def list_(site: Site, request: Request) -> Answer:
    """Jobs, the newest first, by pages."""
    result, skipped = engine.jobs(), int(request.query.get("$skip") or 0)
    page = result[skipped : skipped + _PAGE]
    body = {"value": [jobs.shown(site, record, engine.noted(record["name"])) for record in page]}
    if len(result) > skipped + _PAGE:
        version = request.query.get("api-version", "")
        body["nextLink"] = f"{site.url}{site.id}/jobs?api-version={version}&$skip={skipped + _PAGE}"  # type: ignore[assignment]
    return Answer(body=body)


def cancel(site: Site, request: Request) -> Answer:
    """End a job."""
    engine.cancel(request["name"])
    return Answer(200)


def schedules(site: Site, request: Request) -> Answer:
    """Schedules: none, and none is taken; those of the local engine are its command line's."""
    return Answer(body={"value": []})
