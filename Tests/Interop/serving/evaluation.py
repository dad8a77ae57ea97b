"""Six tasks of lm-eval from local files: over HTTP the numbers are those of transformers on the same folder; so is what is written
in a chat, by /v1/chat/completions and the folder's template.

    python3 Tests/Interop/serving/evaluation.py .build/release/chimera

Needs lm-eval[api] (tried with 0.4.13), torch and transformers.
"""

import json, os, random, subprocess, sys, tempfile

import lm_eval
from lm_eval.tasks import TaskManager
from server import TOKEN, Server, check

os.environ["OPENAI_API_KEY"] = TOKEN
PEOPLE, PLACES, THINGS = ["Lily", "Tom", "Ben", "Mia"], ["park", "house", "garden", "sea"], ["ball", "cat", "cake", "hat"]
TASKS = ["pick", "place", "long", "last", "rolling", "write"]


def documents(seed, count=24):
    draw = random.Random(seed)
    for _ in range(count):
        person, place, thing = draw.choice(PEOPLE), draw.choice(PLACES), draw.choice(THINGS)
        yield {
            "start": f"Once upon a time, {person} went to the {place}. {person} saw a {thing}.", "person": person,
            "choices": [f"{person} was happy.", "Seven green is.", f"The {thing} was big and red."],
            "gold": draw.randrange(3), "target": f" {person} liked the {thing}.",
        }


def write_tasks(folder):
    for number, name in enumerate(TASKS):
        with open(f"{folder}/{name}.jsonl", "w") as file:
            for document in documents(number):
                file.write(json.dumps(document) + "\n")
        lines = [
            f"task: {name}", "dataset_path: json", "dataset_kwargs:", "  data_files:", f"    test: {folder}/{name}.jsonl",
            "test_split: test", 'doc_to_text: "{{start}}"',
        ]
        if name in ("pick", "place", "long"):
            lines += ["output_type: multiple_choice", 'doc_to_choice: "{{choices}}"', 'doc_to_target: "{{gold}}"']
            lines += [f"num_fewshot: {['pick', 'place', 'long'].index(name)}", "fewshot_split: test"]
            lines += ["metric_list:", "  - metric: acc", "  - metric: acc_norm"]
        elif name == "last":
            lines += ["output_type: loglikelihood", 'doc_to_target: "{{target}}"', "metric_list:", "  - metric: acc"]
        elif name == "rolling":
            lines[-1] = 'doc_to_text: ""'
            lines += ["output_type: loglikelihood_rolling", 'doc_to_target: "{{start}}{{target}}"']
            lines += ["metric_list:", "  - metric: word_perplexity", "  - metric: byte_perplexity"]
        else:
            lines += ["output_type: generate_until", 'doc_to_target: "{{target}}"', "generation_kwargs:", '  until: ["."]']
            lines += ["  max_gen_toks: 16", "  do_sample: false", "metric_list:", "  - metric: exact_match"]
        with open(f"{folder}/{name}.yaml", "w") as file:
            file.write("\n".join(lines) + "\n")


def evaluate(model, arguments, folder, tasks=TASKS, chat=False):
    manager = TaskManager(include_path=folder, include_defaults=False)
    return lm_eval.simple_evaluate(
        model=model, model_args=arguments, tasks=tasks, task_manager=manager, log_samples=True, bootstrap_iters=0,
        apply_chat_template=chat)


def main(chimera):
    with tempfile.TemporaryDirectory() as folder:
        write_tasks(folder)
        saved = folder + "/saved"
        subprocess.run([chimera, "save", "story-llama", "--output", saved], check=True, capture_output=True)
        with open(saved + "/chat_template.jinja", "w") as file:
            file.write("{% for message in messages %}{{ message.content }}{% endfor %}")
        with Server(chimera, f"story={saved}", "--exact") as server:
            ours = evaluate(
                "local-completions", f"model=story,base_url={server.url}/v1/completions,tokenizer_backend=remote,auth_token={TOKEN},"
                "tokenized_requests=True,num_concurrent=4,max_length=256", folder)
            chat = evaluate(
                "local-chat-completions", f"model=story,base_url={server.url}/v1/chat/completions,tokenizer_backend=remote,"
                f"auth_token={TOKEN},max_length=256", folder, ["write"], chat=True)
        theirs = evaluate("hf", f"pretrained={saved},dtype=float32,device=cpu,max_length=256", folder)
        written = evaluate("hf", f"pretrained={saved},dtype=float32,device=cpu,max_length=256", folder, ["write"], chat=True)
        for own, other in zip(chat["samples"]["write"], written["samples"]["write"]):
            assert own["doc"] == other["doc"]
            if own["filtered_resps"] != other["filtered_resps"]:
                sys.exit(f"failed: the chat wrote {own['filtered_resps']}, transformers {other['filtered_resps']}")
        check(len(chat["samples"]["write"]) == 24, "24 answers of a chat are those of transformers")
        worst = 0.0
        for task in TASKS:
            for own, other in zip(ours["samples"][task], theirs["samples"][task]):
                assert own["doc"] == other["doc"]
                for a, b in zip(own["filtered_resps"], other["filtered_resps"]):
                    if isinstance(a, str):
                        if a != b:
                            sys.exit(f"failed: {task} wrote {a!r}, transformers {b!r}")
                        continue
                    a, b = (a, b) if isinstance(a, (tuple, list)) else ((a,), (b,))
                    worst = max(worst, abs(a[0] - b[0]))
                    if a[1:] != b[1:]:
                        sys.exit(f"failed: {task}: {a} and transformers {b}")
            for metric, value in theirs["results"][task].items():
                if isinstance(value, float) and "stderr" not in metric:
                    mine = ours["results"][task][metric]
                    print(f"{task:8} {metric:24} {mine:.6f} {value:.6f}")
                    assert abs(mine - value) <= 1e-4 * max(1, abs(value)), metric  # perplexities are large
        # Sums of up to 60 logprobs, in f32 on both sides.
        check(worst < 1e-3, f"loglikelihoods differ by {worst:.2e} at most")


if __name__ == "__main__":
    main(sys.argv[1])
