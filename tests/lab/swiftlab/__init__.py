"""The real Swift lab: private, complete Swift clusters on one machine, for tests and benches."""
