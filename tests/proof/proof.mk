# The proof of the guarantees: every tier, or those of TIER, at SIZE small or long, again with SEED.
SIZE ?= small

.PHONY: proof
proof: .venv ## Prove the guarantees: all tiers, or TIER=2; SIZE=long; SEED=… repeats
	$(BIN)/python -m tests.proof --size $(SIZE) $(foreach tier,$(TIER),--tier $(tier)) $(if $(SEED),--seed $(SEED))
