# A whole cluster on this machine. Empty KIND_NODE_IMAGE: kind's own default.
KIND_NODE_IMAGE ?=
KIND_CLUSTER ?= roomlog
KIND_NAMESPACE ?= roomlog
KIND_PAGE_PORT ?= 8800
KIND_WEBSOCKET_PORT ?= 8801
SIZE ?= small
FAULT ?=
export KIND_NODE_IMAGE KIND_CLUSTER KIND_NAMESPACE KIND_PAGE_PORT KIND_WEBSOCKET_PORT SIZE FAULT

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
	$(BIN)/pytest tests/e2e$(if $(FAULT),/test_faults.py)
