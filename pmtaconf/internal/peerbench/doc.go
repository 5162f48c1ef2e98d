// Package peerbench compares pmtaconf with parsers of formats of the same size and shape: tailscale/hujson, which keeps comments and
// layout as pmtaconf does, and the unstable parser of pelletier/go-toml, told to keep comments. It is a module of its own, so that the peers
// do not become requirements of relayshift.
package peerbench
