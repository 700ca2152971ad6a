"""Reads what `az ml` prints: JSON behind progress dots, states in two spellings, errors of many lines.

Where each shape comes from:
- dots on stdout while a long-running operation is polled: azure-ai-ml `_utils/_azureml_polling.py`, 1.34.1 and 1.35.2;
- states `Completed` (1.34.1, extension 2.44) and `JobStatus.COMPLETED` (1.35.2, extension 2.45): azureml-examples
  #4123;
- errors that begin with `ERROR: (UserError)` and go on with Code:, Message:, Additional Information: and a trace id:
  azure-core's HttpResponseError, as azure-cli prints it;
- an unknown name as an error: `No environment exists for name`, `Model container with name: x not found`. Whether a
  *list* of an unknown name is an error or empty could not be established, so both mean none.
"""

import json
import re
from typing import Any

from amlspec.errors import UserError

FINAL = frozenset({"completed", "failed", "canceled", "notresponding"})
_NOT_FOUND = re.compile(
    r"not\s?found|could not be found|does not exist|not registered here|no [\w ]+ exists? (for|with) name",
    re.IGNORECASE,
)
# A workspace, a group or a subscription that is missing is a mistake, not an empty answer.
_WRONG_PLACE = re.compile(
    r"(ResourceGroup|Subscription|ParentResource|Workspace)NotFound|resource group '[^']*' could not be found"
    r"|Microsoft\.MachineLearningServices/workspaces/[^'/]+'|workspace [^ ]* ?(was )?not found",
    re.IGNORECASE,
)
_HEADS = (r"ERROR:\s*", r"Message:\s*", r"(?=\([A-Za-z]+\) )")
_SHOWN = 500


def parse(text: str) -> Any:
    """The JSON that a verb printed, None where it printed none. Raises UserError for anything else."""
    rest = text.strip().lstrip(". \r\n")
    if not rest:
        return None
    # Progress and notes may stand on lines of their own before the answer.
    starts = [0, *(match.start() for match in re.finditer(r'^[.\s]*(?=[\[{"])', rest, re.MULTILINE))]
    for start in starts:
        try:
            return json.loads(rest[start:].lstrip(". \r\n"))
        except json.JSONDecodeError:
            continue
    raise UserError(f"the answer is not JSON: {_one_line(rest)[:200]}", 1)


def error_line(text: str) -> str:
    """The line of stderr that says what is wrong, without its mark; the last one where none is marked."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith("WARNING:")] or lines or ["no message"]
    for head in _HEADS:
        for index, line in enumerate(said):
            match = re.match(head, line)
            if match:
                message = line[match.end() :] or (said[index + 1] if index + 1 < len(said) else "")
                return _one_line(f"{message}{_inner(message, text)}")[:_SHOWN] or "no message"
    return _one_line(said[-1])[:_SHOWN].removeprefix("error: ")


def _inner(line: str, text: str) -> str:
    """The message of a validation error, which the SDK prints as JSON over many lines: ERROR: Met error ...:{"""
    match = re.search(r'"message":\s*"([^"]+)"', text) if line.endswith("{") else None
    return f" {match[1]}" if match else ""


def is_not_found(text: str) -> bool:
    """Whether an error says that the asked name does not exist (in a workspace that does)."""
    return bool(_NOT_FOUND.search(text)) and not _WRONG_PLACE.search(text)


def state(value: Any) -> str:
    """A state in one spelling: completed, failed, notstarted, succeeded ... unknown where there is none."""
    return str(value or "unknown").rsplit(".", 1)[-1].replace("_", "").lower()


def _one_line(text: str) -> str:
    return " ".join(text.split())
