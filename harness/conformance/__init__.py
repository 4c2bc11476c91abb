"""The place where the conformance suite was: tests of adapters outside this project import it."""
