"""This machine: state on disk, processes, and the one server of a folder."""
