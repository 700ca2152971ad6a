"""Online endpoints on this machine: real inference servers behind one router for each endpoint."""
