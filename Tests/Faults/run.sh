#!/bin/bash
# Each system call by which a command changes its folder fails once, and once ends the process before it and after it.
# Whatever happens, the command must end by itself with a promised status and a sentence, leave either nothing or a whole
# result, and the same command must go on to the result of an undisturbed run.
#
#   run.sh CHIMERA SECONDS [train|ablate|save|html …]     make faults: SECONDS=600
#
# Calls are taken in an order that visits all parts of a command soon, so that a short time sees some of each.
set -u
program=$(realpath "${1:?the path of chimera}"); seconds=${2:-600}; shift; shift
here=$(cd "$(dirname "$0")" && pwd); work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
export CHIMERA_CACHE=$work/cache
cc -shared -fPIC -O1 -o shim.so "$here/shim.c" -ldl || { echo "there is no C compiler"; exit 2; }
cat > tiny.yaml <<'Y'
{name: tiny, vocab_size: 96, context_length: 16, hidden_size: 16, layers: {count: 1}, position: {type: learned},
 norm: {type: layernorm, eps: 1.0e-5}, block: {placement: pre}, attention: {num_heads: 2, bias: true},
 mlp: {intermediate_size: 32, activation: gelu_tanh, bias: true}, head: {tied: true}}
Y
for i in $(seq 300); do echo "once upon a time there was a little girl $i"; done > text.txt

# The commands: each writes under $1 and nowhere else; `result` prints what must be the same in the end.
train() { "$program" train tiny.yaml --data text.txt --tokenizer char --steps 6 --save-every 2 --keep 2 --batch 2 --threads 1 -q --out "$1/run" $2; }
train_again="--resume"
train_result() { (cd "$1/run" && ls checkpoints && sed 's/,"tokens_per_second":[^}]*//' metrics.jsonl && sha256sum checkpoints/*/*.safetensors model.safetensors); }
ablate() { "$program" ablate tiny.yaml --vary position=learned,rope --seeds 2 --data text.txt --train steps=4 --train batch=2 --threads 1 -q --out "$1/study" >/dev/null; }
ablate_again=""
ablate_result() { (cd "$1/study" && cat results.json study.yaml base.yaml && ls tasks/* && ls); }
save() { "$program" save story-llama --output "$1/saved" >/dev/null; }
save_again=""
save_result() { (cd "$1/saved" && ls && sha256sum ./*); }
html() { "$program" show gpt2 --html "$1/page.html" >/dev/null; }
html_again=""
html_result() { (cd "$1" && ls && sha256sum ./*); }

tried=0 bad=0 start=$SECONDS
fault() { # command, call, kind
  rm -rf x; mkdir x; local x=$work/x; tried=$((tried + 1))
  FAULT_FOLDER=/x/ FAULT_CALL=$2 FAULT_KIND=$3 LD_PRELOAD=$work/shim.so timeout 60 bash -c "$(declare -f "$1"); program='$program'; $1 $work/x ''" >out 2>err
  local status=$?
  case $3 in
    kill | after) [ $status = 137 ] || [ $status = 0 ] || { bad=$((bad + 1)); echo "$1: $3 at call $2: status $status: $(tail -1 err)"; } ;;
    *) case $status in
         0) ;;
         1 | 3 | 4) [ -s err ] || { bad=$((bad + 1)); echo "$1: $3 at call $2: status $status without a word"; } ;;
         *) bad=$((bad + 1)); echo "$1: $3 at call $2: status $status: $(tail -1 err)" ;;
       esac ;;
  esac
  local again="$1_again"
  if ! "$1" "$x" "${!again}" >out 2>err && ! "$1" "$x" "" >out 2>err; then
    # A command that refuses to overwrite its own whole result has ended well.
    "$1_result" "$x" >found 2>&1; cmp -s found "wanted-$1" && return
    bad=$((bad + 1)); echo "$1: $3 at call $2: the same command does not go on: $(tail -1 err)"; return
  fi
  "$1_result" "$x" >found 2>&1
  cmp -s found "wanted-$1" || { bad=$((bad + 1)); echo "$1: $3 at call $2: another result: $(diff found "wanted-$1" | head -3 | tr '\n' ' ')"; }
}

[ $# -gt 0 ] || set -- train ablate html save
for command in "$@"; do
  mkdir -p x; rm -rf x/*
  FAULT_FOLDER=/x/ FAULT_COUNT=$work/count-$command LD_PRELOAD=$work/shim.so bash -c "$(declare -f "$command"); program='$program'; $command $work/x ''" >/dev/null 2>err || { echo "$command: $(tail -1 err)"; exit 1; }
  "${command}_result" "$work/x" > "wanted-$command"
  [ "$(cat "count-$command")" -gt 0 ] || { echo "$command makes no calls that are counted"; exit 1; }
done
# Every 7th call, then the ones between: kinds and commands take turns.
for offset in 1 4 2 6 3 7 5; do
  for command in "$@"; do
    count=$(cat "count-$command")
    for ((call = offset; call <= count; call += 7)); do
      for kind in 28 kill half after 5 13; do
        [ $((SECONDS - start)) -lt "$seconds" ] || break 4
        fault "$command" "$call" "$kind"
      done
    done
  done
done
for command in "$@"; do echo "$command: $(cat "count-$command") calls"; done
echo "$tried faults, $bad wrong"
[ "$bad" = 0 ]
