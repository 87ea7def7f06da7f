# Short names for what scripts/, .ci/run and pytest do. Nothing here is more than one line.
.PHONY: demo test test-free-threaded lint model stress bench
.DEFAULT_GOAL := test

python = $$(scripts/environment python3 --extras lab,test)
free_threaded = $$(scripts/environment "$$(scripts/free-threaded)" --extras lab,test)
SECONDS ?= 60

demo: # the patterns against each other on real input
	$(python) -m fearless compare word-index

test: # everything, on python3
	$(python) -m pytest

test-free-threaded: # everything, on a free-threaded Python
	$(free_threaded) -m pytest

lint: # what CI checks about form and types
	.ci/run lint

model: # every interleaving of the core's small models
	.ci/run models

stress: # the stress tests, for SECONDS each, on both builds
	$(python) -m pytest -m stress --stress-seconds $(SECONDS) && $(free_threaded) -m pytest -m stress --stress-seconds $(SECONDS)

bench: # ours beside the peers, on both builds; results go to benchmarks/results
	$(python) -m benchmarks && $(free_threaded) -m benchmarks
