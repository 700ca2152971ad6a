"""Blue-green rollout of a model version over `az ml` verbs, which takes itself back when anything is wrong."""
