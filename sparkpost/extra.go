package sparkpost

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// decodeExtra decodes data into *v, a struct, and puts the members that it has no field for into *extra, which is a field of it. On an
// error v stays as it was. The API grows fields without notice, and a program that writes back what it read must not drop them.
func decodeExtra[T any](data []byte, v *T, extra *map[string]json.RawMessage) error {
	var fresh T
	if err := json.Unmarshal(data, &fresh); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	for name := range all {
		if known(reflect.TypeFor[T](), name) {
			delete(all, name)
		}
	}
	if len(all) == 0 {
		all = nil
	}
	*v = fresh
	*extra = all
	return nil
}

// decodeOwned is decodeExtra for a resource that belongs to an account or subaccount. The API sends the owner as a number, in places as a
// string; it is 0 when absent.
func decodeOwned[T any](data []byte, v *T, extra *map[string]json.RawMessage, owner *int) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	id := 0
	if s := scalar(all["subaccount_id"]); s != "" {
		var err error
		if id, err = strconv.Atoi(s); err != nil {
			return fmt.Errorf("subaccount_id is no number: %q", s)
		}
	}
	delete(all, "subaccount_id")
	rest, err := json.Marshal(all)
	if err != nil {
		return err
	}
	if err := decodeExtra(rest, v, extra); err != nil {
		return err
	}
	*owner = id
	return nil
}

// encodeExtra encodes v, a struct, together with the members in extra. A field of v wins over a member of the same name.
func encodeExtra(v any, extra map[string]json.RawMessage) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil || len(extra) == 0 {
		return data, err
	}
	all := map[string]json.RawMessage{}
	for name, raw := range extra {
		if !known(reflect.TypeOf(v), name) {
			all[name] = raw
		}
	}
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// known reports whether encoding/json would put a member of that name into a field of t; it matches without regard to case.
func known(t reflect.Type, name string) bool {
	for f := range t.Fields() {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag != "-" && strings.EqualFold(tag, name) {
			return true
		}
	}
	return false
}
