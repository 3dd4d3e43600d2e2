# A whole cluster on this machine. Empty KIND_NODE_IMAGE: kind's own default.
KIND_NODE_IMAGE ?=
KIND_CLUSTER ?= roomlog
KIND_NAMESPACE ?= roomlog
KIND_PAGE_PORT ?= 8800
KIND_WEBSOCKET_PORT ?= 8801
SIZE ?= small
FAULT ?=
export KIND_NODE_IMAGE KIND_CLUSTER KIND_NAMESPACE KIND_PAGE_PORT KIND_WEBSOCKET_PORT SIZE FAULT

.PHONY: kind-up kind-load kind-shop kind-down e2e
kind-up: images ## Create a kind cluster, load the images, install the chart, print the page's address
	deploy/kind/up
	deploy/kind/load gateway worker api
	deploy/kind/install

kind-load: images ## Rebuild the images, load them into the cluster and roll changed workloads
	deploy/kind/load gateway worker api
	deploy/kind/install

kind-shop: kind-up # The image of examples/host, for the chart in somebody's own project
	deploy/images shop
	deploy/kind/load shop

kind-down: ## Delete the kind cluster
	kind delete cluster --name $(KIND_CLUSTER)

e2e: .venv $(if $(FAULT),kind-up,kind-shop) ## End-to-end tests on kind, each fault under load; SIZE=full for all, FAULT=… [SEED=…] for one
	$(BIN)/pytest tests/e2e$(if $(FAULT),/test_faults.py)
