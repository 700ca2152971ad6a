"""Models and specs of the serving tests: what each version of the test model does, and the script that serves it."""

from typing import Any

# What each version of the test model does; the versions are registered in this order, from 1.
BEHAVIOURS: list[dict[str, Any]] = [
    {},  # 1: good
    {"factor": 1.01},  # 2: good, other numbers
    {"init": "raise"},  # 3: never healthy, ends
    {"init": "hang"},  # 4: never healthy, hangs
    {"sleep": 0.3},  # 5: slow
    {"factor": 3.0},  # 6: wrong numbers
    {"crash_after": 8},  # 7: crashes under load
    {"fail_after": 8},  # 8: answers 500 under load
    {"flags": ["unknown_store"]},  # 9: flags everything
    {"factor": 1.02},  # 10: good, newest
]
GOOD, OTHER, RAISES, HANGS, SLOW, WRONG, CRASHES, FAILS, FLAGS, NEWEST = (str(n + 1) for n in range(len(BEHAVIOURS)))

SCORE = """
import json, os, signal, time
from pathlib import Path
from helper import total
state = {"requests": 0}

def init():
    root = Path(os.environ["AZUREML_MODEL_DIR"])
    state.update(json.loads(next(root.glob("*/behaviour.json")).read_text()))
    state["about"] = {"name": root.parent.name, "version": root.name, "known_until": "2026-10"}
    if state.get("init") == "raise":
        raise ValueError("this model does not load")
    if state.get("init") == "hang":
        time.sleep(600)

def run(raw_data):
    state["requests"] += 1
    asked = json.loads(raw_data)
    if asked.get("sleep"):
        time.sleep(asked["sleep"])
    if asked.get("die"):
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(5)
    if state["requests"] > state.get("crash_after", 10**9):
        os._exit(1)
    if state["requests"] > state.get("fail_after", 10**9):
        raise RuntimeError("no forecast today")
    time.sleep(state.get("sleep", 0))
    rows = []
    for row in asked["input_data"]:
        sales = total(row) * state.get("factor", 1.0)
        rows.append({"StoreID": row["StoreID"], "MonthYear": row["MonthYear"], "TotalSales": sales,
                     "P10": sales * 0.9, "P90": sales * 1.1, "flags": state.get("flags", [])})
    return {"predictions": rows, "model": state["about"], "pid": os.getpid(), "headers": asked.get("headers")}
"""
HELPER = """
def total(row):
    return 1000.0 + sum(map(ord, row["StoreID"] + row["MonthYear"]))
"""
REQUEST = {"input_data": [{"StoreID": "S001", "MonthYear": "2026-12"}, {"StoreID": "S002", "MonthYear": "2026-12"}]}
DEPLOYMENT: dict[str, Any] = {
    "name": "blue",
    "endpoint_name": "shop",
    "type": "kubernetes",
    "model": "azureml:shop-model@latest",
    "code_configuration": {"code": "src", "scoring_script": "score.py"},
    "environment": "azureml:score:1",
    "environment_variables": {"WORKER_COUNT": "1"},
    "request_settings": {
        "request_timeout_ms": 5000,
        "max_concurrent_requests_per_instance": 4,
        "max_queue_wait_ms": 5000,
    },
    "liveness_probe": {"period": 1, "timeout": 5, "failure_threshold": 5},
    "readiness_probe": {"initial_delay": 0, "period": 1, "failure_threshold": 15},
}
