//go:build !race

package pmtaconf_test

const slower = 1
