"""The Azure ML language, once: documents, kinds, typed models, bindings, references, snapshots, versions, errors."""
