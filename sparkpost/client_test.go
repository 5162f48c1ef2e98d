package sparkpost

import (
	"testing"

	"github.com/SparkPost/gosparkpost"
)

// The copy of a user's client holds no key and keeps no transcripts, and the original is not changed.
func TestFromClientKeepsNoKey(t *testing.T) {
	t.Parallel()
	old := &gosparkpost.Client{}
	if err := old.Init(&gosparkpost.Config{ApiKey: "k", Verbose: true}); err != nil {
		t.Fatal(err)
	}
	c, err := FromClient(old, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.api.gsp.Config; got.ApiKey != "" || got.Verbose {
		t.Errorf("config %+v", got)
	}
	if !old.Config.Verbose || old.Config.ApiKey != "k" {
		t.Error("the user's client was changed")
	}
}
