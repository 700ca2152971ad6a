"""Warnings in steps' logs are repeated at the end of a job, also those of steps that were reused."""

LOUD = """
import argparse, logging, pathlib, sys
parser = argparse.ArgumentParser()
parser.add_argument("--out")
folder = pathlib.Path(parser.parse_args().out)
logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout, level=logging.INFO)
logging.info("all is well")
logging.warning("2024-02 is incomplete")
logging.warning("2024-02 is incomplete")
print("WARNING: disk nearly full", flush=True)
print("no WARNING here")
(folder / "x").write_text("1")
"""
OUT = {"out": {"type": "uri_folder"}}


def loud(engine):
    engine.component("loud", LOUD, outputs=OUT)
    engine.pipeline({"first": {"component": "./loud.yml"}})


def create(engine):
    return engine.run("job", "create", "--file", "pipeline.yml", "--stream", "--output", "none").stderr


def test_warnings_are_repeated_at_the_end_each_once(engine):
    loud(engine)
    assert create(engine).splitlines()[-3:] == [
        "2 warnings:",
        "  first: 2024-02 is incomplete",
        "  first: disk nearly full",
    ]


def test_the_warnings_of_a_reused_step_still_hold(engine):
    loud(engine)
    create(engine)
    engine.pipeline({"again": {"component": "./loud.yml"}})  # the same step under another name
    stderr = create(engine)
    assert "again: reused from" in stderr
    assert "  again: 2024-02 is incomplete" in stderr.splitlines()


def test_job_stream_repeats_the_warnings_of_a_job_that_ran_before(engine):
    loud(engine)
    engine.job("--name", "j1")
    assert "  first: disk nearly full" in engine.run("job", "stream", "--name", "j1", "--output", "none").stderr


def test_a_job_without_warnings_says_nothing_of_them(engine):
    engine.component("quiet", LOUD.replace("WARNING:", "NOTE:").replace("logging.warning", "logging.info"), outputs=OUT)
    engine.pipeline({"first": {"component": "./quiet.yml"}})
    assert "warning" not in create(engine)
