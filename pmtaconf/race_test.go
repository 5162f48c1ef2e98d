//go:build race

package pmtaconf_test

// slower is by how much tests that do much work do less of it.
const slower = 5
