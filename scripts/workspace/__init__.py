"""A workspace on this machine for the real SDK: Azure ML's REST API over HTTPS, backed by the local engine.

How it is cut, from the wire inwards:

- `server` listens on loopback with TLS, writes the access log, and hands each request to `gate`.
- `gate` is the way every request goes: token or signature, faults of a test, route, api-version, body, handler; what
  a handler raises becomes the service's error shape here. Nothing that is unknown passes in silence.
- `routes` is the table of all routes: method, path, api-versions, handler. docs/local-workspace.md shows the same
  table, and a test holds the two equal. A new route is one line here and one function in `handlers`.
- `handlers/<topic>` turn a request into calls of `engine` and the answer into Azure's bodies. They know no HTTP beside
  `messages.Request` and `messages.Answer`.
- `translate/<topic>` are pure: ARM JSON to the engine's specs and records back to ARM JSON.
- `engine` is the only module that calls verbs of localml; whoever changes the verbs changes this file alone.
- `site` knows the names, the places on the disk and the ids; `blobs` keeps blobs as files, so that the engine reads
  what a client uploaded; `tokens` makes and checks tokens and signatures; `certificates` the CA and the server's key.
- `lifecycle` starts, finds and stops the server, `client_settings` writes what a client needs, `__main__` is the
  command line (`python -m workspace start`).

Everything is kept under LOCALML_HOME/workspace; blobs are the engine's datastores.
"""
