# What builders of minigrad run, in an environment where `make install` was done. `make check` is what must hold before a change
# lands: .ci/run calls it in a fresh environment, and there is no other definition.

PYTHON ?= python

.PHONY: check install lint types layers test coverage docs serve wheel clean

check: lint types layers coverage docs wheel

install:
	$(PYTHON) -m pip install -q -e ".[test,browser,lint,docs,dist]"

lint:
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy

layers:
	lint-imports

test:
	$(PYTHON) -m pytest

# The tests, and the share of minigrad's lines that they reach; the floor is in pyproject.toml.
coverage:
	$(PYTHON) -m pytest --cov --cov-report=term:skip-covered

# The site in site/; a warning is an error. The code in the documents is run by the tests.
docs:
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict --quiet

serve:
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs serve

# What is uploaded: a source distribution with all that the tests need, and a wheel made from it. What is in the wheel does README's
# main job without the files around it. It is at most 1.35 MB, which notices a file that does not belong there: operations and layers
# are a third of it, vision and drawing a fifth, compiled kernels and recorded steps a tenth.
wheel: clean
	$(PYTHON) -m build --outdir build/dist .
	$(PYTHON) -m twine check --strict build/dist/*
	$(PYTHON) -m tests.distribution build/dist
	find build/dist -name '*.whl' -size -1350001c | grep .
	$(PYTHON) -m pip install -q --no-deps --target build/dist/installed build/dist/*.whl
	cd build/dist/installed && $(PYTHON) -m minigrad demo --epochs 1 --out ../runs

# An old build/lib would go into the next wheel.
clean:
	rm -rf build
