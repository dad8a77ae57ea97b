#!/bin/sh
# Trains shapes-vl: draws pictures, trains on questions about their shapes, saves the model in bf16 and asks it about 1,000 pictures of
# another seed. Colours come first: on all questions at once a model learns for a thousand steps only which answers are likely.
#
#     sh Models/shapes-vl.sh FOLDER [THREADS] [STEPS]
#
# FOLDER gets the data (200 MB), the runs and the model; a run that was stopped goes on where it was.
set -eu
folder=$1
threads=${2:-2}
steps=${3:-12000}
asked='How many (shapes|circles|squares|triangles|crosses|diamonds)|Is there a|What color is the (circle|square|triangle|cross|diamond)'
mkdir -p "$folder"
[ -e "$folder/shapes" ] || chimera data shapes "$folder/shapes" --count 40000 --seed 1
[ -e "$folder/held-out" ] || chimera data shapes "$folder/held-out" --count 1000 --seed 2
grep "What color" "$folder/shapes/data.jsonl" | head -n 12000 > "$folder/shapes/colors.jsonl"
for part in shapes held-out; do grep -E "$asked" "$folder/$part/data.jsonl" > "$folder/$part/questions.jsonl"; done

train() { # OUT DATA OPTIONS…
  out=$1; data=$2; shift 2
  chimera train shapes-vl --data "$folder/shapes/$data.jsonl" --tokenizer Tokenizers/shapes-384 --validation-fraction 0.02 \
    --batch 32 --seed 1 --threads "$threads" --resume --out "$folder/$out" "$@"
}
train colors colors --steps 300 --optimizer muon --lr 0.02 --schedule constant --warmup 20 --eval-every 50 --eval-batches 8
train questions questions --init-from "$folder/colors" --steps "$steps" --optimizer muon --lr 0.01 --schedule "{type: linear}" \
  --warmup 20 --eval-every 250 --eval-batches 16
chimera save "$folder/questions" --native --dtype bf16 --output "$folder/shapes-vl"
chimera eval "$folder/shapes-vl" --data "$folder/held-out/questions.jsonl"
