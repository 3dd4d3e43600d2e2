# Images: one per service. IMAGE_TAG must not be `latest`: the kubelet would pull it each time.
IMAGE_TAG ?= $(shell sed -n 's/^appVersion: "\(.*\)"/\1/p' deploy/helm/roomlog/Chart.yaml)
PYTHON_IMAGE ?= python:3.13-slim
IMAGES := gateway worker api
export IMAGE_TAG PYTHON_IMAGE

.PHONY: images
images: ## Build the three images, check what is in them, print their sizes
	deploy/images $(IMAGES)
