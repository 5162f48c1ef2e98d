package schema

// row is a directive in the tables.
type row struct {
	name    string
	kind    kind
	def     string
	traits  trait
	section string
	x       x
}

// x holds what few rows have.
type x struct {
	words    string // see Directive
	min, max int64
	from     string // DefaultFrom
	use      string
	note     string
}

// trait is a set of marks. The places of Inherit are the low bits.
type trait uint16

const (
	iWild   = trait(FromWildcard)
	iPool   = trait(FromPool)
	iGlobal = trait(FromGlobal)
	iNamed  = trait(FromNamedSource)
	iIncl   = trait(FromInclude)

	iQueue  = iWild | iPool | iGlobal | iIncl // the directives of <domain>
	iSource = iWild | iNamed | iIncl          // the directives of <source>

	places = iQueue | iSource
)

const (
	many trait = 1 << (iota + 5)
	unclear
	secret
	restart
	required
	clears
	deprecated
	unproved
	old
	foreign
)

// directive gives the row in the form for callers.
func (r row) directive(scope string) Directive {
	d := Directive{
		Name: r.name, Scope: scope, Type: r.kind.of().name, Default: r.def, DefaultFrom: r.x.from,
		Inherit: Inherit(r.traits & places), Use: r.x.use, Note: r.x.note, Section: r.section,
		Secret: r.traits&secret != 0, Restart: r.traits&restart != 0, Required: r.traits&required != 0, Clears: r.traits&clears != 0,
		kind: r.kind, words: r.x.words, min: r.x.min, max: r.x.max,
	}
	switch {
	case r.traits&many != 0:
		d.Repeat = Many
	case r.traits&unclear != 0:
		d.Repeat = Unclear
	}
	d.Status = r.traits.status()
	return d
}

func (t trait) status() Status {
	switch {
	case t&deprecated != 0:
		return Deprecated
	case t&unproved != 0:
		return Unproved
	case t&old != 0:
		return Old
	case t&foreign != 0:
		return Foreign
	}
	return Current
}

// tables lists the directives by scope. The first is the top level.
var tables = []struct {
	scope string
	rows  [][]row
}{
	{"global", [][]row{globalRows, globalOldRows}},
	{"unknown", [][]row{unknownRows}},
	{"source", [][]row{sourceRows, sourceOldRows}},
	{"domain", [][]row{domainRows, domainOldRows}},
	{"virtual-mta", [][]row{virtualMtaRows, virtualMtaOldRows}},
	{"virtual-mta-pool", [][]row{virtualMtaPoolRows}},
	{"acct-file", [][]row{acctFileRows}},
	{"spool", [][]row{spoolRows}},
	{"bounce-processor", [][]row{bounceProcessorRows}},
	{"feedback-loop-processor", [][]row{feedbackLoopProcessorRows}},
	{"address-list", [][]row{addressListRows}},
	{"email-patterns", [][]row{emailPatternsRows}},
	{"smtp-user", [][]row{smtpUserRows}},
	{"source-group", [][]row{sourceGroupRows}},
	{"pattern-list", [][]row{patternListRows}},
	{"smtp-pattern-list", [][]row{smtpPatternListRows}},
	{"bounce-category-patterns", [][]row{bounceCategoryPatternsRows}},
	{"mx-rollup-list", [][]row{mxRollupListRows}},
	{"dns", [][]row{dnsRows}},
	{"smtp-listener", [][]row{smtpListenerRows}},
	{"rewrite-list", [][]row{rewriteListRows}},
	{"domain-key-list", [][]row{domainKeyListRows}},
	{"transmissions-api", [][]row{transmissionsApiRows}},
	{"transmissions-api-listener", [][]row{transmissionsApiListenerRows}},
	{"signals", [][]row{signalsRows}},
	{"signals-filter", [][]row{signalsFilterRows}},
	{"proxy", [][]row{proxyRows}},
	{"aliases", [][]row{aliasesRows}},
	{"route", [][]row{routeRows}},
	{"bounce-log", [][]row{bounceLogRows}},
	{"smtp-source", [][]row{smtpSourceRows}},
	{"policy", [][]row{policyRows}},
	{"performance-settings", [][]row{performanceSettingsRows}},
}

// anyScope is the number of the directives whose scope is not known.
const anyScope = 1

// scopeAliases are tags that hold the directives of another one: names before a change (guide 10.1.4), and spellings that the guide
// has beside the usual one (10.19.1, 3.3.6, 3.3.7.38, 3.3.5).
var scopeAliases = [...][2]string{
	{"sparkpost-analytics", "signals"},
	{"transmission-api-listener", "transmissions-api-listener"},
	{"email-pattern", "email-patterns"},
	{"suppression-list", "address-list"},
	{"alias", "aliases"},
}

// Filled from the tables when the program starts, and never changed after that.
var (
	directives []Directive
	scopeNames []string           // by number of the scope
	members    [][]int16          // indices of directives, by number of the scope
	index      []map[string]int16 // the same by name, as it is written in the tables
)

func init() {
	for _, t := range tables {
		names := make(map[string]int16)
		var list []int16
		for _, rows := range t.rows {
			for _, r := range rows {
				names[r.name] = int16(len(directives))
				list = append(list, int16(len(directives)))
				directives = append(directives, r.directive(t.scope))
			}
		}
		scopeNames = append(scopeNames, t.scope)
		members = append(members, list)
		index = append(index, names)
	}
}
