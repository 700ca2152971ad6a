"""Entry script of the endpoint. The inference server puts the folder of this file on the path, and with it `demand`."""

from demand.score import init, run

__all__ = ["init", "run"]
