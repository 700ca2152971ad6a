"""Reviewing YAML diffs: version guard, version bump and the report of what merging will do. Git only, offline."""
