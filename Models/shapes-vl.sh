#!/bin/sh
# Trains shapes-vl: draws pictures of shapes, trains on conversations about them, saves the model in bf16 and asks it all questions about
# 1,000 pictures of another seed.
#
#     sh Models/shapes-vl.sh FOLDER [THREADS] [STEPS]
#
# FOLDER gets the data (60,000 small files, 300 MB), the run and the model; a run that was stopped goes on where it was.
set -eu
folder=$1
threads=${2:-2}
steps=${3:-7000}
mkdir -p "$folder"
[ -e "$folder/shapes" ] || chimera data shapes "$folder/shapes" --count 60000 --only shapes --conversations --seed 1
[ -e "$folder/held-out" ] || chimera data shapes "$folder/held-out" --count 1000 --only shapes --seed 2
chimera train shapes-vl --data "$folder/shapes/data.jsonl" --tokenizer Tokenizers/shapes-384 --validation-fraction 0.01 --batch 32 \
  --steps "$steps" --optimizer muon --lr 0.02 --schedule "{type: linear}" --warmup 20 --eval-every 200 --eval-batches 8 --seed 1 \
  --threads "$threads" --resume --out "$folder/run"
chimera save "$folder/run" --native --dtype bf16 --output "$folder/shapes-vl"
chimera eval "$folder/shapes-vl" --data "$folder/held-out/data.jsonl"
