#!/bin/bash
# run.sh PYTHON CHIMERA [FOLDER]: changes every key of tiny models of every family, and holds CHIMERA to the reference.
# Writes the tables of Documentation/Bindings.md and Documentation/Families.md. FOLDER keeps the references, which take ten minutes, for the next time.
set -e
python=$1; chimera=$2; here=$(cd "$(dirname "$0")" && pwd); folder=${3:-$(mktemp -d)}
mkdir -p "$folder/tiny" "$folder/references"
[ -n "$(ls "$folder/tiny")" ] || "$python" "$here/tiny.py" "$folder/tiny"
ls -d "$folder"/tiny/* | xargs -P 2 -n 12 "$python" "$here/references.py" "$folder/references"
"$python" "$here/check.py" "$chimera" "$folder/references" --table "$here/../../../Documentation/Bindings.md"
"$python" "$here/families.py" "$chimera" "$folder/tiny" --table "$here/../../../Documentation/Families.md"
