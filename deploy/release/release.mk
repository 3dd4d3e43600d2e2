# Releases. They take the last commit; deploy/release says what is in one.
RELEASE_KEY ?= $(HOME)/.config/roomlog/release-key.pem
SOURCE_URL ?=
export RELEASE_KEY SOURCE_URL

.PHONY: release push
release: .venv ## Build wheels, npm package, chart, images, SBOMs, sums and signatures into dist/: VERSION=x.y.z
	$(BIN)/python deploy/release/release.py $(VERSION)

push: ## Push the images of `make images` to a registry of yours, print their digests as values: REGISTRY=… [VERSION=x.y.z: of dist/, with the chart]
	@deploy/release/push "$(REGISTRY)" "$(VERSION)"
