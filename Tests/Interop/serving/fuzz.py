"""schemathesis over our OpenAPI file: no request gets a status of 500, and answers are what the file says.

    python3 Tests/Interop/serving/fuzz.py .build/release/chimera [EXAMPLES]

Needs schemathesis (tried with 4).
"""

import os, subprocess, sys, tempfile

from server import TOKEN, Server, check


def main(chimera, examples):
    with Server(chimera, "story-llama", "--set", "chat=chatml", "--max-tokens", "8") as server:
        program = os.path.join(os.path.dirname(sys.executable), "schemathesis")
        # It keeps a folder of what it found where it runs.
        folder = tempfile.mkdtemp()
        result = subprocess.run(
            [program, "run", server.url + "/openapi.json", "--url", server.url, "-H", f"Authorization: Bearer {TOKEN}",
             "--max-examples", examples, "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"
             "response_schema_conformance", "--exclude-path", "/metrics", "--no-color"], cwd=folder)
        check(result.returncode == 0, "nothing was answered otherwise than the OpenAPI file says")


main(sys.argv[1], (sys.argv[2:] + ["50"])[0])
