"""The token endpoint of a managed identity, as App Service has one (api-version 2019-08-01)."""

from workspace import tokens
from workspace.messages import Answer, Request, bad_request
from workspace.site import Site


def token(site: Site, request: Request) -> Answer:
    """A token for the resource that a client names."""
    audience = request.query.get("resource")
    if not audience:
        raise bad_request("The query parameter 'resource' is missing.")
    made = tokens.make(site.secrets, audience.removesuffix("/.default"), site.tenant)
    return Answer(body=made, headers={"Cache-Control": "no-store"})
