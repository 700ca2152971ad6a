"""A thin `az` over the real azure-ai-ml, for the verbs that the recipes of ENV=dev call; for tests and development.

The `ml` extension itself is not on the package index, so this prints as it does, as far as its SDK, its issues and
azure-cli's own code show it (pipeline/answers.py names the sources): progress dots on stdout, warnings and errors on
stderr, the SDK's `_to_dict` as JSON, azure-cli's exit codes. It runs under whichever azure-ai-ml its interpreter has:
1.34.1 is that of extension 2.44, 1.35.2 that of 2.45.
"""
