module github.com/relayshift/relayshift/pmtaconf/internal/peerbench

go 1.26.0

require (
	github.com/pelletier/go-toml/v2 v2.4.3
	github.com/relayshift/relayshift v0.0.0
	github.com/tailscale/hujson v0.0.0-20260727124030-b80ff77dac4f
)

require github.com/pmezard/go-difflib v1.0.0 // indirect

replace github.com/relayshift/relayshift => ../../..
