"""Attackers who search among several people."""
