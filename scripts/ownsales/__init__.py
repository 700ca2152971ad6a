"""Own sales, whatever they look like: from an export (Excel, CSV, Parquet) to rows of the contract.

`reading` loads an export as text, `proposal` says which column is what and how its values are written, `mapping` keeps
that as YAML once a person has accepted it, `conversion` makes rows of the contract by it and names what it cannot read.
"""
