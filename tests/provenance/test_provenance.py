"""A signature covers every file; whatever is altered, swapped, replayed or foreign is refused."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from provenance_kit import NAME, signed, tags, write_model

from amlspec.errors import UserError
from demand.errors import StepError
from judging import provenance
from provenance import check, keys


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(keys.FOLDER_VARIABLE, raising=False)
    return tmp_path / "home"


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One signed model for the tests that only copy it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("once")
        patch.setenv("LOCALML_HOME", str(folder / "home"))
        return signed(folder / "made")


def trusted(once: Path) -> list[Path]:
    return [once.parents[1] / "home/keys" / keys.PUBLIC]


def test_the_statement_says_what_the_model_was_made_of(tmp_path: Path) -> None:
    model = signed(tmp_path / "one")
    statement = provenance.verify(model, keys.trusted(True))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert [each["name"] for each in statement["subject"]] == [
        ".gitignore",
        "MLmodel",
        "model.pkl",
        "serving/forest.onnx",
    ]
    made_of = provenance.parameters(statement)
    assert made_of["commit"] == "a" * 40
    assert (made_of["data_version"], made_of["recipe"], made_of["run"]) == ("7", "recipe-1", "run-1")
    assert (made_of["as_of"], made_of["holdout_months"], made_of["model"]) == ("2026-12-01Z", "12", NAME)
    assert len(made_of["data"]) == len(made_of["packages"]) == 64


def test_in_totos_own_library_takes_the_statement(tmp_path: Path) -> None:
    from google.protobuf.json_format import Parse  # noqa: PLC0415
    from in_toto_attestation.v1.statement_pb2 import Statement  # noqa: PLC0415

    model = signed(tmp_path / "one")
    parsed = Parse((model / "provenance/statement.json").read_text(), Statement())
    assert parsed.predicate_type == provenance.PREDICATE_TYPE
    assert len(parsed.subject) == 4


def test_the_librarys_own_command_verifies_the_signature(tmp_path: Path) -> None:
    """Whoever gets the model needs nothing of ours to check it."""
    model = signed(tmp_path / "one")
    code = (
        "import sys; from model_signing import verifying, hashing\n"
        "every = hashing.Config().set_ignored_paths(paths=[sys.argv[3]], ignore_git_paths=False)\n"
        "config = verifying.Config().set_hashing_config(every).use_elliptic_key_verifier(public_key=sys.argv[1])\n"
        "config.verify(sys.argv[2], sys.argv[3])"
    )
    command = [
        sys.executable,
        "-c",
        code,
        str(keys.folder() / keys.PUBLIC),
        str(model),
        f"{model}/provenance/model.sig",
    ]
    assert subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_flipped_byte_of_any_file_is_refused(data: st.DataObject, once: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(once, copy)
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    content[place] ^= bit
    if path.name == provenance.SIGNATURE and not _matters(bytes(content), path.read_bytes()):
        return  # the bundle's own spelling, such as a blank between two keys
    path.write_bytes(bytes(content))
    with pytest.raises(StepError):
        provenance.verify(copy, trusted(once))


def _matters(changed: bytes, before: bytes) -> bool:
    """Whether a bundle says something else: key, payload or signature."""
    try:
        given, was = json.loads(changed), json.loads(before)
    except ValueError:
        return True

    def said(bundle: dict) -> tuple:
        envelope = bundle.get("dsseEnvelope") or {}
        return envelope.get("payload"), [each.get("sig") for each in envelope.get("signatures") or []]

    return said(given) != said(was)


def test_a_file_more_or_less_is_refused(once: Path, tmp_path: Path) -> None:
    for change in ("more", ".gitattributes", "gone"):
        copy = tmp_path / change
        shutil.copytree(once, copy)
        (copy / "model.pkl").unlink() if change == "gone" else (copy / change).write_text("x")
        with pytest.raises(StepError, match="not as it was signed"):
            provenance.verify(copy, trusted(once))


def test_mlflows_note_beside_a_model_changes_nothing(once: Path, tmp_path: Path) -> None:
    shutil.copytree(once, tmp_path / "copy")
    (tmp_path / "copy" / provenance.MLFLOWS_NOTE).write_text("model_name: x\n")
    provenance.verify(tmp_path / "copy", trusted(once))


def test_two_verdicts_swapped_are_refused(tmp_path: Path) -> None:
    good, bad = signed(tmp_path / "good"), signed(tmp_path / "bad", "b", promoted=False)
    first, second = (each / "provenance/verdict.json" for each in (good, bad))
    texts = first.read_text(), second.read_text()
    first.write_text(texts[1])
    second.write_text(texts[0])
    for model in (good, bad):
        with pytest.raises(UserError, match="not as it was signed"):
            check.files(model, NAME, tags())


def test_an_old_statement_and_signature_on_a_new_model_are_refused(tmp_path: Path) -> None:
    old, new = signed(tmp_path / "old"), signed(tmp_path / "new", "b")
    shutil.rmtree(new / "provenance")
    shutil.copytree(old / "provenance", new / "provenance")
    with pytest.raises(UserError, match="not as it was signed"):
        check.files(new, NAME, tags())


def test_an_old_statement_signed_anew_is_refused_since_it_is_about_other_files(tmp_path: Path) -> None:
    old, new = signed(tmp_path / "old"), signed(tmp_path / "new", "b")
    shutil.copy(old / "provenance/statement.json", new / "provenance/statement.json")
    (new / "provenance/model.sig").unlink()
    provenance.sign(new, str(keys.folder() / keys.PRIVATE))
    with pytest.raises(UserError, match="is about other files"):
        check.files(new, NAME, tags())


def test_a_verdict_signed_anew_is_refused_since_the_statement_names_another(tmp_path: Path) -> None:
    model = signed(tmp_path / "one", promoted=False)
    path = model / "provenance/verdict.json"
    path.write_text(path.read_text().replace("false", "true"))
    (model / "provenance/model.sig").unlink()
    provenance.sign(model, str(keys.folder() / keys.PRIVATE))
    with pytest.raises(UserError, match="is about another verdict"):
        check.files(model, NAME, tags())


def test_unsigned_foreign_refused_and_misnamed_models_are_each_named(tmp_path: Path, monkeypatch) -> None:
    bare = write_model(tmp_path / "bare")
    with pytest.raises(UserError, match=r"it is not signed: .*`make run-pipeline` signs what it registers"):
        check.files(bare, NAME, tags())
    refused = signed(tmp_path / "refused", promoted=False)
    with pytest.raises(UserError, match="the gate of its run refused it: because"):
        check.files(refused, NAME, tags())
    other = signed(tmp_path / "other", name="demand-forecast-product")
    with pytest.raises(UserError, match="it was made as demand-forecast-product"):
        check.files(other, NAME, tags())
    good = signed(tmp_path / "good")
    monkeypatch.setenv(keys.FOLDER_VARIABLE, str(tmp_path / "elsewhere"))
    keys.give_to_jobs()
    with pytest.raises(
        UserError, match="none of the 1 trusted keys signed it; whom to trust stands in ml/deploy/signers"
    ):
        check.files(good, NAME, tags())
    monkeypatch.setenv("AZ_ML", "az ml")
    with pytest.raises(UserError, match="no key is trusted"):
        check.files(good, NAME, tags())  # on Azure this machine's own key counts for nothing


def test_the_private_key_is_its_owners_alone_and_made_once(home: Path) -> None:
    keys.give_to_jobs()
    private = home / "keys" / keys.PRIVATE
    first = private.read_bytes()
    keys.give_to_jobs()
    assert private.read_bytes() == first
    assert private.stat().st_mode & 0o077 == 0
    assert private.parent.stat().st_mode & 0o077 == 0


def test_a_key_that_is_none_is_named(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    (model / "provenance").mkdir()
    for text in (None, "not a key"):
        path = tmp_path / "key.pem"
        if text:
            path.write_text(text)
        with pytest.raises(StepError, match="the model cannot be signed with"):
            provenance.sign(model, str(path))
    assert not (model / "provenance/model.sig").exists()


def test_a_vaults_key_signs_what_the_library_verifies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a vault's key in the place of a file: r and s side by side become the DER that a bundle holds.

    Azure's two clients are imitated with their own result types; no vault was asked.
    """
    from azure.keyvault.keys import JsonWebKey  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415

    from judging import vault_key  # noqa: PLC0415

    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    asked = []

    class Key:
        key = JsonWebKey(kty="EC", crv="P-256", x=numbers.x.to_bytes(32, "big"), y=numbers.y.to_bytes(32, "big"))

    class Keys:
        def __init__(self, url, _credential):
            asked.append(url)

        def get_key(self, name, version):
            asked.append((name, version))
            return Key

    class Signed:
        def __init__(self, digest):
            der = private.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
            self.signature = b"".join(each.to_bytes(32, "big") for each in utils.decode_dss_signature(der))

    class Crypto:
        def __init__(self, key, _credential):
            assert key is Key

        def sign(self, algorithm, digest):
            assert algorithm == "ES256"
            return Signed(digest)

    monkeypatch.setattr(vault_key, "KeyClient", Keys)
    monkeypatch.setattr(vault_key, "CryptographyClient", Crypto)
    model = signed(tmp_path / "one")
    (model / "provenance/model.sig").unlink()
    provenance.sign(model, "https://kv.vault.azure.net/keys/model-signing")
    assert asked == ["https://kv.vault.azure.net", ("model-signing", None)]
    public = tmp_path / "vault.pub"
    form = serialization
    public.write_bytes(private.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo))
    provenance.verify(model, [public])
    with pytest.raises(StepError, match="none of the 1 trusted keys"):
        provenance.verify(model, keys.trusted(True))
