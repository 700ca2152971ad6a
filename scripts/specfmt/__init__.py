"""Formats Azure ML specs: key order, one flag a line; comments and everything else stay as they are."""
