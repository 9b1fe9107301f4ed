//! Benchmarks: speed and memory, reported, never asserted.
