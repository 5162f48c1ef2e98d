package acct

type Type string

var types = []struct{ Type Type }{{"d"}}
