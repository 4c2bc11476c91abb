"""Self-tests of the harness: known answers from controls and planted truths."""
