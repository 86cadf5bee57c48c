"""Solitary stale fragments."""
