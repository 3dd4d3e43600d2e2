# The benchmark: Roomlog against its peers, which live in a virtual environment of their own.
PEERS := .roomlog/peers

.PHONY: bench

$(PEERS)/ready: benchmarks/requirements.txt | .venv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(PEERS)
	$(BIN)/uv pip install --quiet --python $(PEERS)/bin/python --require-hashes -r benchmarks/requirements.txt
	touch $@

bench: .venv $(PEERS)/ready ## Measure against Channels and the classic design (BENCH="--quick" for 2 minutes)
	$(BIN)/python -m benchmarks.run $(BENCH)
