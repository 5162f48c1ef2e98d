package sparkposttest

import "encoding/json"

// item is one entry of an errors array. Which members appear differs by resource, as in the documentation.
type item struct {
	Message     string `json:"message"`
	Description string `json:"description,omitempty"`
	Code        string `json:"code,omitempty"`
	Param       string `json:"param,omitempty"`
	Value       any    `json:"-"`
}

// MarshalJSON adds value, which is null when the member was missing, where there is a param.
func (it item) MarshalJSON() ([]byte, error) {
	type plain item
	if it.Param == "" {
		return json.Marshal(plain(it))
	}
	return json.Marshal(struct {
		plain
		Value any `json:"value"`
	}{plain(it), it.Value})
}

// fail is an answer with errors.
func fail(status int, items ...item) reply {
	return reply{status, map[string]any{"errors": items}}
}
