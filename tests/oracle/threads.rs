//! Several partitions, several threads.
