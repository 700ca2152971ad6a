"""Entry script of the parallel step forecast_parts. Azure ML puts the folder of this file on the path."""

from planning.part import init, run

__all__ = ["init", "run"]
