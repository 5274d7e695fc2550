package warehouse

import (
	"regexp"
	"slices"

	"plumbline.dev/schemas/config"
)

// impact is where the views find what a record is worth: the positions of
// value, stage and currency among the normal forms that readers store.
type impact struct {
	field, when, currency string
	at                    [3]uint16
}

const policyClear = "clear" // the policy of a value that may be read

var (
	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
	stageFields  = []string{"dealstage", "StageName", "stage", "status"}
)

func impactOf(o *config.Object) (i impact) {
	c := o.Impact
	if c == nil {
		return i
	}
	i.field, i.when = c.Field, c.When
	i.at[0] = position(o, c.Field)
	if c.Stage != "" {
		i.at[1] = position(o, c.Stage)
	} else {
		for _, name := range stageFields {
			if i.at[1] = position(o, name); i.at[1] != 0 {
				break
			}
		}
	}
	if currencyCode.MatchString(c.Currency) {
		i.currency = c.Currency
	} else {
		i.at[2] = position(o, c.Currency)
	}
	return i
}

// position counts from 1, as ClickHouse's arrays do; 0 is a field that is not
// mapped, or whose value nobody may read.
func position(o *config.Object, name string) uint16 {
	at := slices.IndexFunc(o.Fields, func(f config.FieldMap) bool { return name != "" && (f.Source == name || f.Target == name) })
	if at < 0 || o.Fields[at].Policy != "" && o.Fields[at].Policy != policyClear {
		return 0
	}
	return uint16(at + 1) //nolint:gosec // a map has some dozen fields
}
