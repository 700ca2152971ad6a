"""The servers that this checkout started: the local warehouse, the workspace, and the routers of local endpoints."""
