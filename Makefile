# make demo       translated photographs, backtracking figures and shares, in ktviz-demo/
# make test       lint, types and tests, of the front end too where there is Node
# make processors the tests of search, traces and audits under the kernels of other processors
# make lowest     tests with the lowest versions that pyproject.toml allows (needs uv)
# make web        the front end's bundle, from web/ to ktviz/widgets/static/
# make bench      benchmarks of some minutes, as tables, and a table of all that they found in short
# make bench-full all benchmarks: hours
# make docs       the documentation, in docs/_build/html/, with the rendered course; warnings are errors
# make wheels     ktviz and ktviz-read, in dist/, checked
# make notebooks  the course: students' and instructors' copies, and pages, in notebooks/built/
# make setup      just the virtual environment

PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: setup demo test processors lowest web bench bench-full docs wheels notebooks lint format clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(STAMP)

demo: setup
	$(BIN)/ktviz demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	.ci/front-end
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n 2 --dist loadfile

processors: setup
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest tests/processors.py

lowest:
	.ci/lowest

web:
	cd web && npm install --no-save --silent --no-audit --no-fund && node build.mjs

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	-cd web && npx prettier --write --log-level warn src test build.mjs

bench bench-full: setup
	$(BIN)/python -m benchmarks $@

docs: setup notebooks
	$(BIN)/python -m docs.make_live
	$(BIN)/python -m sphinx -W --keep-going -q docs docs/_build/html

wheels: setup
	$(BIN)/python wheels/build.py

notebooks: setup
	$(BIN)/python notebooks/build.py

clean:
	rm -rf .venv ktviz-demo notebooks/built docs/_build docs/_built
