# A whole cluster on this machine. Empty KIND_NODE_IMAGE: kind's own default.
KIND_NODE_IMAGE ?=
KIND_CLUSTER ?= roomlog
KIND_NAMESPACE ?= roomlog
KIND_PAGE_PORT ?= 8800
KIND_WEBSOCKET_PORT ?= 8801
SIZE ?= small
FAULT ?=
export KIND_NODE_IMAGE KIND_CLUSTER KIND_NAMESPACE KIND_PAGE_PORT KIND_WEBSOCKET_PORT SIZE FAULT

# In the small size nobody waits for the installs in namespaces of their own; in full, nodes are lost under them.
E2E_BESIDE := $(if $(FAULT)$(filter full,$(SIZE)),,tests/e2e/test_install.py tests/e2e/test_in_a_project.py)
E2E := tests/e2e$(if $(FAULT),/test_faults.py) $(E2E_BESIDE:%=--ignore=%)

.PHONY: kind-cluster kind-up kind-down e2e
kind-cluster: # With a namespace, and nothing in it
	deploy/kind/up

kind-up: kind-cluster images ## Create a kind cluster or take the one that is there, load the images, install the chart, print address and logins
	deploy/kind/load $(IMAGES)
	deploy/kind/install

kind-down: ## Delete the kind cluster
	kind delete cluster --name $(KIND_CLUSTER)

e2e: IMAGES += shop # of examples/host, for the chart in somebody's own project
e2e: .venv kind-up ## End-to-end tests on kind, each fault under load; SIZE=full for all, FAULT=… [SEED=…] for one
	$(if $(E2E_BESIDE),$(BIN)/pytest $(E2E_BESIDE) >.venv/e2e-beside.log 2>&1 & beside=$$!; \
	  trap "kill $$beside 2>/dev/null || true" EXIT; status=0; \
	  $(BIN)/pytest $(E2E) || status=$$?; wait $$beside || status=$$?; cat .venv/e2e-beside.log; exit $$status,\
	  $(BIN)/pytest $(E2E))
