"""Azure's JSON to the engine's specs, and the engine's records back to Azure's JSON. Nothing here acts."""
