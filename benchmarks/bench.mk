# The benchmark: Roomlog against its peers, which live in a virtual environment of their own.
PEERS := .roomlog/peers

.PHONY: bench bench-requirements dashboards

$(PEERS)/ready: benchmarks/requirements.txt | .venv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(PEERS)
	$(BIN)/uv pip install --quiet --python $(PEERS)/bin/python --require-hashes -r benchmarks/requirements.txt
	touch $@

# Without Go the comparison goes without this peer, and says so.
$(PEERS)/centrifuge: $(wildcard benchmarks/peers/centrifuge_chat/*) | $(PEERS)/ready
	if command -v go; then cd benchmarks/peers/centrifuge_chat && go build -o ../../../$@ .; \
	else echo "no Go here: measured without centrifuge" >&2; fi

bench: .venv $(PEERS)/ready $(PEERS)/centrifuge ## Measure against Channels and the classic design (BENCH="--quick" for 2 minutes)
	$(BIN)/python -m benchmarks.run $(BENCH)

bench-requirements: .venv ## Compile the benchmark's hashed pins
	cd benchmarks && ../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements.txt requirements.in

dashboards: .venv $(PEERS)/ready ## Draw the chart's dashboards over a real run into docs/dashboards (needs prometheus)
	$(BIN)/python -m benchmarks.dashboards
