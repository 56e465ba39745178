//! Whole runs, endpoints, contracts and floors, in one test binary.
