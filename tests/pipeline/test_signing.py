"""When a run signs what it registers: on Azure, once the key's public half is in the repo."""

from pathlib import Path

import pytest

from pipeline import schedules, signing

ROOT = Path(__file__).parents[2]


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment dev, as a verb sets it, in a checkout without keys."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "ENV": "dev", "AZ_ML": "az ml", "VAULT_URI": "https://kv.vault.azure.net/", "SIGNING_KEY": "model-signing",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return tmp_path


def trust(root: Path, env: str) -> None:
    folder = root / signing.SIGNERS
    folder.mkdir(parents=True)
    (folder / f"{env}.pub").write_text("a public key\n")


def test_a_run_is_given_the_vaults_key_once_its_public_half_is_in_the_repo(dev: Path) -> None:
    assert signing.settings() == []
    trust(dev, "prod")
    assert signing.settings() == []
    (dev / signing.SIGNERS / "dev.pub").write_text("a public key\n")
    assert signing.settings() == ["inputs.signing_key=https://kv.vault.azure.net/keys/model-signing"]


def test_on_this_machine_no_vault_signs(dev: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust(dev, "dev")
    monkeypatch.setenv("AZ_ML", "localml")
    assert signing.settings() == []


def test_a_scheduled_training_signs_too(dev: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "key", lambda: "https://kv.vault.azure.net/keys/model-signing")
    made = schedules.settings(ROOT / "ml/schedules/train.yml", "abc")
    assert "create_job.inputs.signing_key=https://kv.vault.azure.net/keys/model-signing" in made
    assert not [each for each in schedules.settings(ROOT / "ml/schedules/import.yml", "abc") if "signing" in each]
