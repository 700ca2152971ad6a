"""The servers that this checkout started: the local warehouse, and the routers of local endpoints."""
