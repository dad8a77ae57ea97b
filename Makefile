# Everything a fresh machine with Swift needs: `make run` writes a story, `make test` runs the tests.

CHIMERA = .build/release/chimera
MODEL ?= story-llama
PROMPT ?=

.PHONY: build run test lint install format clean setup

run: build
	@$(CHIMERA) run $(MODEL) $(if $(PROMPT),"$(PROMPT)",) --temperature 0

build: setup
	swift build -c release --product chimera

test: setup
	swift build -c release --product chimera
	swift test -c release

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
install: build
	install -d $(PREFIX)/bin $(PREFIX)/share/chimera
	install $(CHIMERA) $(PREFIX)/bin/chimera
	cp -R Architectures Models $(PREFIX)/share/chimera/

SOURCES = Sources Plugins Tests Package.swift
format:
	swift format --in-place --parallel --recursive $(SOURCES)

lint:
	swift format lint --strict --parallel --recursive $(SOURCES)

clean:
	swift package clean
