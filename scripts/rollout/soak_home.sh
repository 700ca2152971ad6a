#!/usr/bin/env bash
# State of its own for a soak: the newest model of LOCALML_HOME three times, the third one broken, so that the registry
# in use stays as it is. Prints the path of the new state.
set -euo pipefail

name=$(sed -n 's/^model: azureml:\(.*\)@latest$/\1/p' ml/deploy/deployment.yml)
export LOCALML_STRICT=0  # the path of a model is the local engine's own
source_path=$($AZ_ML model show --name "$name" --label latest --query path --output tsv)
soak_home="$LOCALML_HOME/soak"
if [[ -d $soak_home ]]; then
  LOCALML_HOME="$soak_home" $AZ_ML _stop
  rm -rf "$soak_home"
fi
export LOCALML_HOME="$soak_home"
mkdir -p "$soak_home/broken"
cp -rL "$source_path" "$soak_home/broken/model"
chmod -R u+w "$soak_home/broken"
# A model cut off in the middle of its upload. Whatever it is stored as, nothing of it loads.
find "$soak_home/broken" -type f \( -name '*.pkl' -o -name '*.onnx' -o -name '*.npz' \) -exec truncate --size=100 {} +
for path in "$source_path" "$source_path" "$soak_home/broken/model"; do
  $AZ_ML model create --name "$name" --path "$path" --type mlflow_model --output none
done
$AZ_ML environment create --file ml/environments/score.yml --output none
$AZ_ML compute attach --file ml/deploy/compute.yml --output none
echo "$soak_home"
