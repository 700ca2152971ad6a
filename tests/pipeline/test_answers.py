"""What az prints is read whatever stands around it, and an error is one line that says what is wrong."""

import pytest
import recorded

from amlspec.errors import UserError
from pipeline import answers


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("", None),
        ("......\n", None),
        ('{"name": "x"}', {"name": "x"}),
        ('......{\n  "name": "x"\n}\n', {"name": "x"}),
        ('...\n...\n[\n  {"name": "x"}\n]', [{"name": "x"}]),
        ('Uploading src (0.5 MBs): 100%|####|\n\n..{"name": "x"}', {"name": "x"}),
        ('"{\\"predictions\\": []}"', '{"predictions": []}'),
        ("[]", []),
        ('Check: endpoint shop exists\n{"name": "a. b"}', {"name": "a. b"}),
    ],
)
def test_json_behind_dots_and_notes_is_read(printed, value):
    assert answers.parse(printed) == value


@pytest.mark.parametrize("printed", ["...{", "The request failed", "....<html>", '{"name": "x"} and more'])
def test_a_bad_answer_is_one_line_and_no_decode_error(printed):
    with pytest.raises(UserError, match="the answer is not JSON"):
        answers.parse(printed)


@pytest.mark.parametrize("extension", recorded.EXTENSIONS)
@pytest.mark.parametrize(
    ("state", "kind", "read"),
    [
        ("Completed", "job", "completed"),
        ("NotStarted", "job", "notstarted"),
        ("Succeeded", "endpoint", "succeeded"),
        ("Failed", "endpoint", "failed"),
    ],
)
def test_a_state_is_one_word_whichever_extension_spells_it(extension, state, kind, read):
    assert answers.state(recorded.word(extension, state, kind)) == read


def test_a_missing_state_reads_as_unknown():
    assert answers.state(None) == "unknown"


@pytest.mark.parametrize(
    ("stderr", "line"),
    [
        (recorded.refused("Quota exceeded for cpu-cluster")["stderr"], "(UserError) Quota exceeded for cpu-cluster"),
        ("WARNING: experimental\nCode: X\nMessage: No such compute.\nTrace id: 17", "No such compute."),
        ("(BadArgument) The name is taken.\nCode: BadArgument\nTrace id: 17", "(BadArgument) The name is taken."),
        ("ERROR: \nError: the YAML does not match\n1) Missing data", "Error: the YAML does not match"),
        (
            'ERROR: Met error <class \'Exception\'>:{\n  "result": "Failed",\n  "errors": [\n    {\n'
            '      "message": "Missing data for required field.",\n      "path": "jobs.a"\n    }\n  ]\n}',
            "Met error <class 'Exception'>:{ Missing data for required field.",
        ),
        ("quota exceeded", "quota exceeded"),
        ("WARNING: only that", "WARNING: only that"),
        ("", "no message"),
    ],
)
def test_an_error_is_the_line_that_says_what_is_wrong_not_the_last_one(stderr, line):
    assert answers.error_line(stderr) == line


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("(UserError) Model container with name: demand-forecast not found.", True),
        ("(UserError) No environment exists for name: stock-pricing, version: 4, label:", True),
        ("(NotFound) The specified resource was not found.", True),
        ("data sales is not registered here: `localml data list` shows what is", True),
        ("(ResourceGroupNotFound) Resource group 'g' could not be found.", False),
        (
            "(ResourceNotFound) The Resource 'Microsoft.MachineLearningServices/workspaces/w' under resource group 'g'"
            " was not found.",
            False,
        ),
        ("(SubscriptionNotFound) The subscription '0' could not be found.", False),
        ("(AuthorizationFailed) The client has no authorization to perform the action", False),
        ("quota exceeded", False),
    ],
)
def test_an_unknown_name_is_distinguished_from_a_wrong_workspace_and_from_other_errors(text, missing):
    assert answers.is_not_found(text) is missing
