"""Provenance for models of a rehearsal: a soak, or a test, serves models that no run of the gate made."""

import shutil
import tempfile
from pathlib import Path

from judging import provenance
from provenance import keys

WORD = "rehearsal"


def prepare(model: Path, name: str) -> dict[str, str]:
    """Write a statement of a rehearsal into a model's folder and sign it with this machine's key; the version's tags.

    The key is the one of LOCALML_HOME, so that no other workspace takes such a model.
    """
    shutil.rmtree(model / provenance.FOLDER, ignore_errors=True)
    keys.give_to_jobs()
    with tempfile.TemporaryDirectory() as place:
        verdict, card = Path(place) / provenance.VERDICT, Path(place) / provenance.CARD
        verdict.write_text(f'{{"promoted": true, "reasons": [], "selected": "{WORD}"}}', encoding="utf-8")
        card.write_text(f"# A {WORD}\n", encoding="utf-8")
        settings = {"as_of": "none", "holdout_months": "0", "attempt": "first"}
        origin = provenance.Origin(name, "0", WORD, WORD, WORD, WORD, settings, verdict.parent)
        provenance.describe(model, verdict, card, origin)
    provenance.sign(model, str(keys.folder() / keys.PRIVATE))
    return {"candidate": WORD, "data_version": "0", "fingerprint": WORD, "git_commit": WORD, "recipe": WORD}
